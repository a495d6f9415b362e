package org.backplane.testkit;

import java.util.HashMap;
import java.util.Map;
import org.backplane.bus.Bus;
import org.backplane.bus.IoHandler;
import org.backplane.bus.Space;

/**
 * The driver of a modern virtio PCI function (virtio 1.2, sections 3.1 and 4.1), as a guest's
 * processor runs it: it knows the function's number and finds everything else through configuration
 * space and the BARs on the bus. One thread at a time.
 *
 * <p>Like {@link DriverRing} it writes the layouts down a second time, on purpose.
 */
public final class VirtioDriver {
    /** device_status. */
    public static final int ACKNOWLEDGE = 1;

    public static final int DRIVER = 2;
    public static final int DRIVER_OK = 4;
    public static final int FEATURES_OK = 8;
    public static final int NEEDS_RESET = 64;

    /** Feature bits of queues and transport. */
    public static final long INDIRECT_DESC = 1L << 28;

    public static final long EVENT_IDX = 1L << 29;
    public static final long VERSION_1 = 1L << 32;

    public static final int NO_VECTOR = 0xffff;

    /** Data of an MSI-X message is this plus the vector's number. */
    public static final int MESSAGE_DATA = 0x100;

    /** Where MSI-X messages go. */
    public static final long MESSAGE_ADDRESS = 0x2800_0000L;

    /** Fields of the common configuration. */
    public enum Common {
        DEVICE_FEATURE_SELECT(0, 4),
        DEVICE_FEATURE(4, 4),
        DRIVER_FEATURE_SELECT(8, 4),
        DRIVER_FEATURE(12, 4),
        CONFIG_MSIX_VECTOR(16, 2),
        NUM_QUEUES(18, 2),
        DEVICE_STATUS(20, 1),
        CONFIG_GENERATION(21, 1),
        QUEUE_SELECT(22, 2),
        QUEUE_SIZE(24, 2),
        QUEUE_MSIX_VECTOR(26, 2),
        QUEUE_ENABLE(28, 2),
        QUEUE_NOTIFY_OFF(30, 2),
        QUEUE_DESC(32, 8),
        QUEUE_DRIVER(40, 8),
        QUEUE_DEVICE(48, 8);

        private final int offset;
        private final int width;

        Common(int offset, int width) {
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

    /** Kinds of structures, the numbers of cfg_type. */
    public static final int COMMON = 1;

    public static final int NOTIFY = 2;
    public static final int ISR = 3;
    public static final int DEVICE = 4;
    public static final int PCI_CFG = 5;

    /**
     * A structure that a capability names.
     *
     * @param capability offset of the capability in configuration space
     */
    public record Structure(int capability, int bar, long offset, long length) {}

    private static final int COMMAND = 0x04;
    private static final int COMMAND_MEMORY = 2;
    private static final int COMMAND_MASTER = 4;
    private static final int FIRST_BAR = 0x10;
    private static final int BAR_64 = 4;
    private static final int CAPABILITIES = 0x34;
    private static final int VENDOR_CAPABILITY = 0x09;
    private static final int MSIX_CAPABILITY = 0x11;
    private static final int MSIX_ENABLE = 0x8000;

    private final Bus bus;
    private final IoHandler ecam;
    private final int device;
    private final Map<Integer, Structure> structures = new HashMap<>();
    private int msixCapability;

    /**
     * Reads the capabilities and switches memory decoding and bus mastering on.
     *
     * @param ecam the host bridge's configuration space
     * @param device PCI device number
     */
    public VirtioDriver(Bus bus, IoHandler ecam, int device) {
        this.bus = bus;
        this.ecam = ecam;
        this.device = device;
        for (int at = (int) config(CAPABILITIES, 1); at != 0; at = (int) config(at + 1, 1)) {
            int id = (int) config(at, 1);
            if (id == MSIX_CAPABILITY) {
                msixCapability = at;
            } else if (id == VENDOR_CAPABILITY) {
                structures.put(
                        (int) config(at + 3, 1),
                        new Structure(
                                at,
                                (int) config(at + 4, 1),
                                config(at + 8, 4),
                                config(at + 12, 4)));
            }
        }
        setConfig(COMMAND, 2, COMMAND_MEMORY | COMMAND_MASTER);
    }

    /** Reads configuration space. */
    public long config(int offset, int width) {
        return ecam.read((long) device << 15 | offset, width) & mask(width);
    }

    /** Writes configuration space. */
    public void setConfig(int offset, int width, long value) {
        ecam.write((long) device << 15 | offset, width, value & mask(width));
    }

    /** A structure by its kind, or null. */
    public Structure structure(int kind) {
        return structures.get(kind);
    }

    /** Where a BAR's register says that it is. */
    public long bar(int index) {
        long low = config(FIRST_BAR + 4 * index, 4);
        long high = (low & BAR_64) != 0 ? config(FIRST_BAR + 4 * index + 4, 4) : 0;
        return high << 32 | low & ~0xfL;
    }

    /** The bus address of a byte of a structure. */
    public long address(int kind, long offset) {
        Structure structure = structures.get(kind);
        return bar(structure.bar) + structure.offset + offset;
    }

    /** Reads from a structure. */
    public long read(int kind, long offset, int width) {
        return bus.read(Space.MMIO, address(kind, offset), width) & mask(width);
    }

    /** Writes to a structure. */
    public void write(int kind, long offset, int width, long value) {
        bus.write(Space.MMIO, address(kind, offset), width, value & mask(width));
    }

    /** Reads a field of the common configuration, one of 64 bits in two halves. */
    public long get(Common field) {
        if (field.width == 8) {
            return read(COMMON, field.offset, 4) | read(COMMON, field.offset + 4, 4) << 32;
        }
        return read(COMMON, field.offset, field.width);
    }

    /** Writes a field of the common configuration, one of 64 bits in two halves. */
    public void set(Common field, long value) {
        if (field.width == 8) {
            write(COMMON, field.offset, 4, value);
            write(COMMON, field.offset + 4, 4, value >>> 32);
        } else {
            write(COMMON, field.offset, field.width, value);
        }
    }

    public int status() {
        return (int) get(Common.DEVICE_STATUS);
    }

    /** Sets one more bit of device_status; true if it reads back as set. */
    public boolean addStatus(int bit) {
        set(Common.DEVICE_STATUS, status() | bit);
        return (status() & bit) != 0;
    }

    /** Writes 0 to device_status; the device has been reset once it reads 0. */
    public void requestReset() {
        set(Common.DEVICE_STATUS, 0);
    }

    public long offeredFeatures() {
        set(Common.DEVICE_FEATURE_SELECT, 0);
        long low = get(Common.DEVICE_FEATURE);
        set(Common.DEVICE_FEATURE_SELECT, 1);
        return low | get(Common.DEVICE_FEATURE) << 32;
    }

    /** Acknowledges the device and accepts features; whether the device agrees. */
    public boolean negotiate(long features) {
        addStatus(ACKNOWLEDGE);
        addStatus(DRIVER);
        set(Common.DRIVER_FEATURE_SELECT, 0);
        set(Common.DRIVER_FEATURE, features & 0xffff_ffffL);
        set(Common.DRIVER_FEATURE_SELECT, 1);
        set(Common.DRIVER_FEATURE, features >>> 32);
        return addStatus(FEATURES_OK);
    }

    /** Sets a queue up and enables it; whether it reads back as enabled. */
    public boolean enableQueue(int index, DriverRing ring, int vector) {
        set(Common.QUEUE_SELECT, index);
        set(Common.QUEUE_SIZE, ring.size());
        set(Common.QUEUE_MSIX_VECTOR, vector);
        set(Common.QUEUE_DESC, ring.descriptors());
        set(Common.QUEUE_DRIVER, ring.available());
        set(Common.QUEUE_DEVICE, ring.used());
        set(Common.QUEUE_ENABLE, 1);
        return get(Common.QUEUE_ENABLE) == 1;
    }

    /** Tells the device that the driver is ready; false if it does not agree. */
    public boolean ready() {
        return addStatus(DRIVER_OK);
    }

    /** The bus address of a queue's doorbell. */
    public long doorbell(int index) {
        set(Common.QUEUE_SELECT, index);
        long multiplier = config(structures.get(NOTIFY).capability + 16, 4);
        return address(NOTIFY, get(Common.QUEUE_NOTIFY_OFF) * multiplier);
    }

    /** Rings a queue's doorbell. */
    public void ring(int index) {
        bus.write(Space.MMIO, doorbell(index), 2, index);
    }

    /** Reads, and so clears, the ISR byte. */
    public int isr() {
        return (int) read(ISR, 0, 1);
    }

    /** Switches MSI-X on and unmasks every vector. */
    public void enableMsix() {
        int control = (int) config(msixCapability + 2, 2);
        long table = config(msixCapability + 4, 4);
        long base = bar((int) table & 7) + (table & ~7L);
        for (int vector = 0; vector <= (control & 0x7ff); vector++) {
            long entry = base + 16L * vector;
            bus.write(Space.MMIO, entry, 4, MESSAGE_ADDRESS);
            bus.write(Space.MMIO, entry + 4, 4, 0);
            bus.write(Space.MMIO, entry + 8, 4, MESSAGE_DATA + vector);
            bus.write(Space.MMIO, entry + 12, 4, 0);
        }
        setConfig(msixCapability + 2, 2, control | MSIX_ENABLE);
    }

    /** Reads through the configuration access window. */
    public long windowRead(int bar, long offset, int width) {
        aim(bar, offset, width);
        return config(structures.get(PCI_CFG).capability + 16, width);
    }

    /** Writes through the configuration access window. */
    public void windowWrite(int bar, long offset, int width, long value) {
        aim(bar, offset, width);
        setConfig(structures.get(PCI_CFG).capability + 16, width, value);
    }

    private void aim(int bar, long offset, int width) {
        int window = structures.get(PCI_CFG).capability;
        setConfig(window + 4, 1, bar);
        setConfig(window + 8, 4, offset);
        setConfig(window + 12, 4, width);
    }

    private static long mask(int width) {
        return width == 8 ? -1 : (1L << 8 * width) - 1;
    }
}
