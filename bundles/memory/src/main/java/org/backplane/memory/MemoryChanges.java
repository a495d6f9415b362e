package org.backplane.memory;

import org.osgi.annotation.versioning.ProviderType;

/** Tells what the guest's memory consists of, and what becomes of that. Thread-safe. */
@ProviderType
public interface MemoryChanges {
    /** The listener is told of every range there is, then of changes. */
    void addListener(MemoryListener listener);

    /** The listener hears no more; it is not told that ranges go. */
    void removeListener(MemoryListener listener);
}
