package org.backplane.testkit;

import org.backplane.bus.Bus;
import org.backplane.bus.IoHandler;
import org.backplane.bus.Space;

/**
 * The driver of a transitional virtio PCI function that knows nothing of virtio 1.0 (virtio 1.2,
 * section 4.1.4.10): everything is in the I/O ports of BAR 0. One thread at a time.
 *
 * <p>Like {@link DriverRing} it writes the layout down a second time, on purpose.
 */
public final class LegacyVirtioDriver {
    /** Pages in which a queue's address is given, and to which its used ring is aligned. */
    public static final int PAGE = 4096;

    /** Registers of BAR 0, little-endian. */
    public enum Register {
        DEVICE_FEATURES(0, 4),
        DRIVER_FEATURES(4, 4),
        QUEUE_ADDRESS(8, 4),
        QUEUE_SIZE(12, 2),
        QUEUE_SELECT(14, 2),
        QUEUE_NOTIFY(16, 2),
        DEVICE_STATUS(18, 1),
        ISR_STATUS(19, 1),
        /** Only while MSI-X is enabled. */
        CONFIG_MSIX_VECTOR(20, 2),
        /** Only while MSI-X is enabled. */
        QUEUE_MSIX_VECTOR(22, 2);

        private final int offset;
        private final int width;

        Register(int offset, int width) {
            this.offset = offset;
            this.width = width;
        }

        public int offset() {
            return offset;
        }

        public int width() {
            return width;
        }
    }

    private static final int COMMAND = 0x04;
    private static final int COMMAND_ALL = 7;
    private static final int FIRST_BAR = 0x10;
    private static final int CONFIG = 20;
    private static final int CONFIG_MSIX = 24;

    private final Bus bus;
    private final IoHandler ecam;
    private final int device;
    private boolean msix;

    /**
     * Switches decoding and bus mastering on.
     *
     * @param ecam the host bridge's configuration space
     * @param device PCI device number
     */
    public LegacyVirtioDriver(Bus bus, IoHandler ecam, int device) {
        this.bus = bus;
        this.ecam = ecam;
        this.device = device;
        ecam.write((long) device << 15 | COMMAND, 2, COMMAND_ALL);
    }

    /** Where BAR 0 decodes; its lowest bit, which says that it is I/O space, is left out. */
    public long base() {
        return ecam.read((long) device << 15 | FIRST_BAR, 4) & 0xffff_fffcL;
    }

    /** Reads ports of BAR 0. */
    public long read(long offset, int width) {
        return bus.read(Space.IO, base() + offset, width) & (1L << 8 * width) - 1;
    }

    /** Writes ports of BAR 0. */
    public void write(long offset, int width, long value) {
        bus.write(Space.IO, base() + offset, width, value);
    }

    public long get(Register register) {
        return read(register.offset, register.width);
    }

    public void set(Register register, long value) {
        write(register.offset, register.width, value);
    }

    public int status() {
        return (int) get(Register.DEVICE_STATUS);
    }

    /** Sets one more bit of the status. */
    public void addStatus(int bit) {
        set(Register.DEVICE_STATUS, status() | bit);
    }

    /** Resets the device, and takes it for reset. */
    public void reset() {
        set(Register.DEVICE_STATUS, 0);
    }

    /** Acknowledges the device and accepts features. */
    public void negotiate(long features) {
        addStatus(VirtioDriver.ACKNOWLEDGE);
        addStatus(VirtioDriver.DRIVER);
        set(Register.DRIVER_FEATURES, features);
    }

    /**
     * A ring laid out for a queue: all of it in one piece, the used ring on a page of its own.
     *
     * @param size as the device says it
     */
    public static DriverRing ring(TestMemory memory, int size, boolean eventIndex) {
        long available = 16L * size;
        long used = (available + 2 * (3 + size) + PAGE - 1) / PAGE * PAGE;
        int bytes = (int) (used + 2 * 3 + 8L * size);
        long at = memory.allocate(bytes, PAGE);
        return new DriverRing(memory, size, eventIndex, at, at + available, at + used);
    }

    /** Tells the device where a ring is; whether it takes it. */
    public boolean enableQueue(int index, DriverRing ring) {
        set(Register.QUEUE_SELECT, index);
        set(Register.QUEUE_ADDRESS, ring.descriptors() / PAGE);
        return get(Register.QUEUE_ADDRESS) == ring.descriptors() / PAGE;
    }

    public void ready() {
        addStatus(VirtioDriver.DRIVER_OK);
    }

    /** Says that a queue has buffers. */
    public void ring(int index) {
        set(Register.QUEUE_NOTIFY, index);
    }

    /** Reads, and so clears, the ISR byte. */
    public int isr() {
        return (int) get(Register.ISR_STATUS);
    }

    /** From now on MSI-X is enabled, and two more registers are in front of the configuration. */
    public void msixEnabled(boolean on) {
        msix = on;
    }

    /** Reads the device's configuration. */
    public long config(int offset, int width) {
        return read((msix ? CONFIG_MSIX : CONFIG) + offset, width);
    }

    /** Writes the device's configuration. */
    public void setConfig(int offset, int width, long value) {
        write((msix ? CONFIG_MSIX : CONFIG) + offset, width, value);
    }
}
