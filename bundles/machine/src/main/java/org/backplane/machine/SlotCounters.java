package org.backplane.machine;

/**
 * What was counted of a slot since it was made, over all devices that were in it.
 *
 * @param registerReads reads of processors that came to the machine's bus, each an exit: of
 *     registers, and of the function's configuration space if it is on PCI
 * @param registerWrites as {@code registerReads}
 * @param doorbells times the driver rang a queue's doorbell: one that no exit was made for as well
 *     as one that came as a register write, which that number counts too
 * @param interrupts messages sent, and times an interrupt line or pin of it rose
 * @param requests that the device gave back to the driver completed; a buffer of a network device
 *     is one, and a device without virtio queues has none
 * @param bytesRead bytes that the driver gave the device to read in those requests, headers
 *     included
 * @param bytesWritten bytes that the device wrote into guest memory for them
 * @param guestErrors mistakes of the driver: broken rings, odd accesses, BARs put where there is no
 *     room. What a device notes in counters of its own is not in it
 */
public record SlotCounters(
        String slot,
        long registerReads,
        long registerWrites,
        long doorbells,
        long interrupts,
        long requests,
        long bytesRead,
        long bytesWritten,
        long guestErrors) {

    /** A slot that nothing has happened in. */
    public static SlotCounters none(String slot) {
        return new SlotCounters(slot, 0, 0, 0, 0, 0, 0, 0, 0);
    }

    /** The sum, under this one's name. */
    public SlotCounters plus(SlotCounters other) {
        return new SlotCounters(
                slot,
                registerReads + other.registerReads,
                registerWrites + other.registerWrites,
                doorbells + other.doorbells,
                interrupts + other.interrupts,
                requests + other.requests,
                bytesRead + other.bytesRead,
                bytesWritten + other.bytesWritten,
                guestErrors + other.guestErrors);
    }

    /** Accesses that left a processor. */
    public long exits() {
        return registerReads + registerWrites;
    }
}
