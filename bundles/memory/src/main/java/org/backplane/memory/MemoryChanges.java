package org.backplane.memory;

import org.osgi.annotation.versioning.ProviderType;

/** Tells what the guest's memory consists of, and what becomes of that. Thread-safe. */
@ProviderType
public interface MemoryChanges {
    /**
     * The listener is told of every range there is, on this thread, then of changes. RAM comes
     * first, and holds no change up: whoever pins all of it takes seconds, in which the guest may
     * move a BAR. What has changed meanwhile is told before this returns. If the listener fails it
     * hears of nothing more.
     */
    void addListener(MemoryListener listener);

    /** The listener hears no more; it is not told that ranges go. */
    void removeListener(MemoryListener listener);

    /**
     * Keeps RAM on the pages that it is on, for somebody who has pinned them: clearing it gives
     * none back to the host, or the guest would be on others from then on.
     */
    PageHold holdPages();

    /** Ends with closing; closing again does nothing. */
    @ProviderType
    interface PageHold extends AutoCloseable {
        @Override
        void close();
    }
}
