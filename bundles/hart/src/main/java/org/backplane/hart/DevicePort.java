package org.backplane.hart;

/** A hart's way to what is no memory. Belongs to the hart's thread. */
final class DevicePort {
    private final Hart hart;
    private final DeviceMap devices;

    DevicePort(Hart hart, DeviceMap devices) {
        this.hart = hart;
        this.devices = devices;
    }

    /** Loads from a guest-physical address, zero-extended. */
    long load(long address, int width) {
        hart.leaveGuest();
        long value = devices.load(hart.index(), address, width);
        hart.enterGuest();
        return width == Long.BYTES ? value : value & (1L << Byte.SIZE * width) - 1;
    }

    /**
     * Stores to a guest-physical address.
     *
     * @param value bits above the width are zero
     */
    void store(long address, int width, long value) {
        if (devices.ring(address, width) || devices.storeMessage(address, width, value)) {
            return;
        }
        hart.leaveGuest();
        devices.store(hart.index(), address, width, value);
        hart.enterGuest();
    }
}
