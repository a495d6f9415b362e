package org.backplane.pci;

import java.util.function.Consumer;

/**
 * The register file of one function: 256 bytes, or 4,096 where there are extended registers, each
 * bit of them read-only, writable, or cleared by writing one. It has no side effects; those who own
 * registers look at it after a write. Thread-safe; calls nobody, so it may be used under any lock.
 */
final class ConfigSpace {
    private final byte[] values;
    private final byte[] initial;
    private final byte[] writable;
    private final byte[] clearedByOne;

    /** Bits that the function itself changes, and the guest only reads. */
    private final byte[] driven;

    /**
     * A conventional space.
     *
     * @param registers defines them
     */
    ConfigSpace(Consumer<ConfigSpace> registers) {
        this(Type0Header.SPACE_SIZE, registers);
    }

    private ConfigSpace(int size, Consumer<ConfigSpace> registers) {
        values = new byte[size];
        writable = new byte[size];
        clearedByOne = new byte[size];
        driven = new byte[size];
        registers.accept(this);
        initial = values.clone();
    }

    /**
     * The space of a function that is no bridge.
     *
     * @param integrated whether it is on bus 0
     */
    ConfigSpace(PciShape shape, CapabilityList capabilities, boolean integrated) {
        this(
                ExtendedCapabilities.spaceSize(shape),
                space -> space.define(shape, capabilities, integrated));
    }

    /** In bytes. */
    int size() {
        return values.length;
    }

    private void define(PciShape shape, CapabilityList capabilities, boolean integrated) {
        define(Type0Header.VENDOR_ID, 2, shape.vendorId(), 0);
        define(Type0Header.DEVICE_ID, 2, shape.deviceId(), 0);
        define(Type0Header.COMMAND, 2, 0, commandBits(shape));
        define(Type0Header.REVISION_ID, 1, shape.revision(), 0);
        define(Type0Header.CLASS_CODE, 3, shape.classCode(), 0);
        define(Type0Header.CACHE_LINE_SIZE, 1, 0, 0xff);
        define(Type0Header.SUBSYSTEM_VENDOR_ID, 2, shape.subsystemVendorId(), 0);
        define(Type0Header.SUBSYSTEM_ID, 2, shape.subsystemId(), 0);
        define(Type0Header.INTERRUPT_LINE, 1, 0, 0xff);
        define(Type0Header.INTERRUPT_PIN, 1, shape.interruptPin(), 0);
        shape.bars().forEach(this::define);
        capabilities.define(this, integrated);
        ExtendedCapabilities.define(this, shape);
        defineStatus();
    }

    /** What happens to STATUS, besides its capability bit. */
    void defineStatus() {
        defineClearedByOne(Type0Header.STATUS, 2, Type0Header.STATUS_ERRORS);
        defineDriven(Type0Header.STATUS, 2, Type0Header.STATUS_INTERRUPT);
    }

    /** The decode bits exist only where there is something to decode (PCI 3.0, section 6.2.2). */
    private static int commandBits(PciShape shape) {
        int bits =
                Type0Header.COMMAND_BUS_MASTER
                        | Type0Header.COMMAND_PARITY
                        | Type0Header.COMMAND_SERR
                        | Type0Header.COMMAND_INTX_DISABLE;
        for (PciShape.Bar bar : shape.bars()) {
            bits |= BaseAddressRegister.commandBit(bar);
        }
        return bits;
    }

    /**
     * The address bits below the size are read-only zeros: writing ones and reading back gives the
     * size, whatever the width of the writes (PCI 3.0, section 6.2.5.1).
     */
    private void define(PciShape.Bar bar) {
        int type = BaseAddressRegister.typeBits(bar);
        int at = Type0Header.baseAddress(bar.index());
        if (bar.kind() == PciShape.BarKind.MEMORY_64) {
            define(at, 8, type, -bar.size());
        } else {
            define(at, 4, type, -bar.size());
        }
    }

    /** Gives a register its first value and its writable bits; while being made only. */
    void define(int offset, int width, long value, long writableBits) {
        put(values, offset, width, value);
        put(writable, offset, width, writableBits);
    }

    /** Bits of a register that go when the guest writes one; while being made only. */
    void defineClearedByOne(int offset, int width, long bits) {
        put(clearedByOne, offset, width, bits);
    }

    /** Bits of a register that {@link #drive} changes; while being made only. */
    void defineDriven(int offset, int width, long bits) {
        put(driven, offset, width, bits);
    }

    private static void put(byte[] bytes, int offset, int width, long value) {
        for (int i = 0; i < width; i++) {
            bytes[offset + i] = (byte) (value >>> 8 * i);
        }
    }

    /** Whether an access is one that a configuration request can carry: it keeps to a dword. */
    static boolean legal(int offset, int width) {
        return (width == 1 || width == 2 || width == 4)
                && offset >= 0
                && offset <= Type0Header.EXTENDED_SIZE - width
                && offset % width == 0;
    }

    /**
     * @param width in bytes, 1 to 8; offset and width lie inside the space
     */
    synchronized long read(int offset, int width) {
        long value = 0;
        for (int i = 0; i < width; i++) {
            value |= (values[offset + i] & 0xffL) << 8 * i;
        }
        return value;
    }

    /**
     * Writes as the guest does: only where it may.
     *
     * @return the bits that this write changed, as they lie in the value
     */
    synchronized long write(int offset, int width, long value) {
        long changed = 0;
        for (int i = 0; i < width; i++) {
            int at = offset + i;
            int written = (int) (value >>> 8 * i);
            int kept = values[at] & ~writable[at] & ~(clearedByOne[at] & written);
            byte now = (byte) (kept | written & writable[at]);
            changed |= ((values[at] ^ now) & 0xffL) << 8 * i;
            values[at] = now;
        }
        return changed;
    }

    boolean any(int offset, int bits) {
        return (read(offset, 2) & bits) != 0;
    }

    /** STATUS.Interrupt Status, which the device sets and the guest reads. */
    void interruptStatus(boolean on) {
        drive(Type0Header.STATUS, 2, Type0Header.STATUS_INTERRUPT, on);
    }

    /**
     * Sets or clears bits as the function itself does, whatever the guest may write.
     *
     * @param bits that are driven, or cleared by writing one
     */
    synchronized void drive(int offset, int width, long bits, boolean on) {
        for (int i = 0; i < width; i++) {
            int own = (int) (bits >>> 8 * i);
            values[offset + i] = (byte) (values[offset + i] & ~own | (on ? own : 0));
        }
    }

    /** Every register as it was made. */
    synchronized void reset() {
        System.arraycopy(initial, 0, values, 0, values.length);
    }

    /** As it was made. */
    byte[] initial() {
        return initial.clone();
    }

    synchronized byte[] bytes() {
        return values.clone();
    }

    /**
     * The first offset where the bytes differ in a bit that no access can change, or -1: then they
     * can be a state of this space.
     *
     * @param bytes of the length of the space
     */
    int firstForeign(byte[] bytes) {
        for (int i = 0; i < bytes.length; i++) {
            int changeable = writable[i] | clearedByOne[i] | driven[i];
            if (((bytes[i] ^ initial[i]) & ~changeable) != 0) {
                return i;
            }
        }
        return -1;
    }

    /** Takes over a state that {@link #firstForeign} finds nothing wrong with. */
    synchronized void load(byte[] bytes) {
        System.arraycopy(bytes, 0, values, 0, values.length);
    }
}
