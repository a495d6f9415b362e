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
        try {
            long value = devices.load(hart.index(), address, width);
            return width == Long.BYTES ? value : value & (1L << Byte.SIZE * width) - 1;
        } finally {
            hart.enterGuest();
        }
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
        try {
            devices.store(hart.index(), address, width, value);
        } finally {
            hart.enterGuest();
        }
    }
}
