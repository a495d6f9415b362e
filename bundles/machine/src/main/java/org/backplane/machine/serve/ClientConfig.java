package org.backplane.machine.serve;

import java.util.Arrays;
import java.util.List;
import org.backplane.bus.Bus;
import org.backplane.pci.PciShape;
import org.backplane.pci.PciShape.BarKind;
import org.backplane.pci.Type0Header;

/**
 * Configuration space as a client sees it. It is the function's, but for what is decided here: BARs
 * are where the client says in its own address space, and decode all the time in this one; MSI and
 * MSI-X are programmed by their {@link VectorDriver}s, not by the client (linux/vfio.h,
 * VFIO_DEVICE_SET_IRQS). One thread at a time.
 */
final class ClientConfig {
    private static final int DECODING = Type0Header.COMMAND_IO | Type0Header.COMMAND_MEMORY;

    private final FunctionAccess function;
    private final List<VectorDriver> drivers;

    /** What the client wrote into the base address registers. */
    private final int[] bars = new int[Type0Header.BASE_ADDRESS_REGISTERS];

    /** Bits of each register that hold an address, and those that say of what. */
    private final int[] addressBits = new int[Type0Header.BASE_ADDRESS_REGISTERS];

    private final int[] typeBits = new int[Type0Header.BASE_ADDRESS_REGISTERS];

    /** The bits of COMMAND that the client has for itself. */
    private int decoding;

    ClientConfig(FunctionAccess function, List<VectorDriver> drivers) {
        this.function = function;
        this.drivers = List.copyOf(drivers);
        for (PciShape.Bar bar : function.function().shape().bars()) {
            describe(bar);
        }
        begin();
    }

    private void describe(PciShape.Bar bar) {
        int index = bar.index();
        long mask = -bar.size();
        boolean wide = bar.kind() == BarKind.MEMORY_64;
        typeBits[index] =
                bar.kind() == BarKind.IO
                        ? Type0Header.BAR_IO
                        : (wide ? Type0Header.BAR_MEMORY_64 : 0)
                                | (bar.prefetchable() ? Type0Header.BAR_PREFETCHABLE : 0);
        addressBits[index] = (int) mask;
        if (wide) {
            addressBits[index + 1] = (int) (mask >>> 32);
        }
    }

    /** The function was reset, or a client has come: BARs decode, for the bus of this machine. */
    void begin() {
        Arrays.fill(bars, 0);
        decoding = 0;
        function.writeConfig(Type0Header.COMMAND, 2, DECODING);
        function.locate();
    }

    /** In bytes: the extended part counts if there is something in it. */
    int size() {
        return function.readConfig(Type0Header.SPACE_SIZE, 4) == 0
                ? Type0Header.SPACE_SIZE
                : Type0Header.EXTENDED_SIZE;
    }

    /**
     * @param offset a multiple of the width
     * @param width 1, 2 or 4
     */
    long read(int offset, int width) {
        int dword = offset & ~3;
        int shift = (offset - dword) * 8;
        if (isBar(dword)) {
            int bar = (dword - Type0Header.BASE_ADDRESS) / 4;
            return (bars[bar] | typeBits[bar]) >>> shift & Bus.allOnes(width);
        }
        long value = function.readConfig(offset, width);
        if (offset == Type0Header.COMMAND) {
            value = value & ~(long) DECODING | decoding;
        }
        return value;
    }

    /** As {@link #read}. */
    void write(int offset, int width, long value) {
        int dword = offset & ~3;
        if (isBar(dword)) {
            int bar = (dword - Type0Header.BASE_ADDRESS) / 4;
            int shift = (offset - dword) * 8;
            int mask = (int) (Bus.allOnes(width) << shift);
            bars[bar] = (bars[bar] & ~mask | (int) (value << shift) & mask) & addressBits[bar];
        } else if (offset == Type0Header.COMMAND) {
            decoding = (int) value & DECODING;
            function.writeConfig(offset, width, value | DECODING);
        } else if (drivers.stream().noneMatch(driver -> driver.owns(offset))) {
            function.writeConfig(offset, width, value);
        }
    }

    private static boolean isBar(int dword) {
        return dword >= Type0Header.BASE_ADDRESS
                && dword < Type0Header.baseAddress(Type0Header.BASE_ADDRESS_REGISTERS);
    }
}
