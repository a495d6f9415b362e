package org.backplane.pci;

import org.backplane.bus.Bus;
import org.backplane.bus.IoHandler;

/**
 * Configuration mechanism 1 at I/O ports 0xcf8 to 0xcff (PCI 3.0, section 3.2.2.3.2).
 * CONFIG_ADDRESS is there for accesses of 4 bytes only; one of CONFIG_DATA may have 1, 2 or 4 and
 * goes to the bytes of the register that it covers. Thread-safe; that two processors do not part
 * each other's pair of accesses is the guest's lock.
 */
final class ConfigMechanism1 implements IoHandler {
    static final int SIZE = 8;

    private static final int ADDRESS = 0;
    private static final int DATA = 4;

    private static final int ENABLE = 1 << 31;

    /** Enable, bus, device, function and register; the others read as zero. */
    private static final int LATCHED = 0x80ff_fffc;

    private static final int REGISTER = 0xfc;
    private static final int FUNCTION_SHIFT = 8;

    /** Answers at an address of bus, device and function. */
    interface Functions {
        long read(int number, int register, int width);

        void write(int number, int register, int width, long value);
    }

    private final Functions functions;
    private volatile int latch;

    ConfigMechanism1(Functions functions) {
        this.functions = functions;
    }

    int latch() {
        return latch;
    }

    void latch(long value) {
        latch = (int) value & LATCHED;
    }

    @Override
    public long read(long offset, int width) {
        if (offset == ADDRESS && width == 4) {
            return latch & 0xffff_ffffL;
        }
        int address = latch;
        return carries(address, offset, width)
                ? functions.read(number(address), register(address, offset), width)
                : Bus.allOnes(width);
    }

    @Override
    public void write(long offset, int width, long value) {
        int address = latch;
        if (offset == ADDRESS && width == 4) {
            latch(value);
        } else if (carries(address, offset, width)) {
            functions.write(number(address), register(address, offset), width, value);
        }
    }

    private static boolean carries(int address, long offset, int width) {
        return (address & ENABLE) != 0 && offset >= DATA && offset + width <= SIZE;
    }

    /** Bus, device and function in 16 bits. */
    private static int number(int address) {
        return address >>> FUNCTION_SHIFT & 0xffff;
    }

    private static int register(int address, long offset) {
        return address & REGISTER | (int) offset & 3;
    }
}
