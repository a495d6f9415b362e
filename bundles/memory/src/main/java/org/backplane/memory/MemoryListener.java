package org.backplane.memory;

import org.osgi.annotation.versioning.ConsumerType;

/** Told of layout changes: added before the guest can see a range, removed after it cannot. */
@ConsumerType
public interface MemoryListener {
    void added(MemoryRange range);

    void removed(MemoryRange range);
}
