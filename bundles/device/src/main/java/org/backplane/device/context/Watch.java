package org.backplane.device.context;

import org.osgi.annotation.versioning.ProviderType;

/**
 * Work that runs on a worker as long as a descriptor is ready for it: level-triggered. Thread-safe;
 * both switches may be called from the work itself, which then does not run again.
 *
 * <p>An error or a hang-up of the descriptor counts as ready: the work finds out by its call on it.
 * Suspended, a watch is not told of these either.
 */
@ProviderType
public interface Watch extends Lease {
    /** Runs the work no more, until {@link #resume}; work under way goes on. */
    void suspend();

    /** Runs the work whenever the descriptor is ready, from now on. */
    void resume();
}
