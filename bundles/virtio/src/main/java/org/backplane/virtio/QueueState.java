package org.backplane.virtio;

/**
 * What a queue knows beside its registers.
 *
 * @param nextAvailable next entry of the available ring to take; 16 bits
 * @param usedIndex the used index as the driver sees it; 16 bits
 * @param presentNext the head of the ledger that is to be given out next, -1 for none
 * @param ledger heads taken and not completed, oldest first
 */
record QueueState(
        RingState state,
        int nextAvailable,
        int usedIndex,
        boolean wantsDoorbell,
        int presentNext,
        int[] ledger) {}
