package org.backplane.machine.slot;

/**
 * Who sits behind a gate, and since which generation. A thread may be counted in, be orphaned
 * before its next instruction and look here when the next device has the seat, at last: its earlier
 * ticket shows that it is not meant.
 */
record Seat<T>(T taken, long since) {
    boolean admits(long ticket) {
        return !Gate.earlier(ticket, since);
    }
}
