package org.backplane.virtio;

/** What a queue does with its ring. */
enum RingState {
    /** Not set up, or reset: nothing is taken and nothing is stored. */
    DISABLED,
    RUNNING,
    /** The driver asked for a reset: nothing new, but what is out completes. */
    HALTED,
    /** The driver broke the ring: nothing new, and nothing is stored any more. */
    BROKEN
}
