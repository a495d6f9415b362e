package org.backplane.machine.serve;

import java.util.Arrays;
import org.backplane.bus.Bus;
import org.backplane.bus.Space;
import org.backplane.machine.board.ServedBoard;
import org.backplane.pci.PciFunction;
import org.backplane.pci.PciShape.BarKind;
import org.backplane.pci.Type0Header;

/**
 * The registers of a function as whoever drives it reaches them: configuration space, and BARs
 * where the board has placed them, with decoding on. One thread at a time.
 */
final class FunctionAccess {
    private static final long UNPLACED = -1;

    /** In bytes. */
    private static final int DWORD = 4;

    private final ClientVm client;
    private final PciFunction function;
    private final long configuration;
    private final long[] bases = new long[Type0Header.BASE_ADDRESS_REGISTERS];
    private final Space[] spaces = new Space[Type0Header.BASE_ADDRESS_REGISTERS];

    FunctionAccess(ClientVm client, PciFunction function) {
        this.client = client;
        this.function = function;
        configuration = ServedBoard.configuration(function.address());
        locate();
    }

    PciFunction function() {
        return function;
    }

    /** After a reset: decoding is off until {@link Type0Header#COMMAND} is written. */
    void locate() {
        Arrays.fill(bases, UNPLACED);
        for (PciFunction.BarState state : function.bars()) {
            int index = state.bar().index();
            bases[index] = state.base();
            spaces[index] = state.bar().kind() == BarKind.IO ? Space.IO : Space.MMIO;
        }
    }

    /**
     * @param offset a multiple of the width
     * @param width 1, 2 or 4
     */
    long readConfig(int offset, int width) {
        return client.read(Space.MMIO, configuration + offset, width);
    }

    /** As {@link #readConfig}. */
    void writeConfig(int offset, int width, long value) {
        client.write(Space.MMIO, configuration + offset, width, value);
    }

    /**
     * @param bar that the function has
     * @param offset a multiple of the width
     * @param width 1, 2, 4 or 8; ports are reached by 4 at most
     * @return all ones if there was no room for the BAR
     */
    long readBar(int bar, long offset, int width) {
        if (bases[bar] == UNPLACED) {
            return Bus.allOnes(width);
        }
        long address = bases[bar] + offset;
        if (spaces[bar] == Space.IO && width > DWORD) {
            long low = client.read(Space.IO, address, DWORD);
            return low | client.read(Space.IO, address + DWORD, DWORD) << Integer.SIZE;
        }
        return client.read(spaces[bar], address, width);
    }

    /** As {@link #readBar}. */
    void writeBar(int bar, long offset, int width, long value) {
        if (bases[bar] == UNPLACED) {
            return;
        }
        long address = bases[bar] + offset;
        if (spaces[bar] == Space.IO && width > DWORD) {
            client.write(Space.IO, address, DWORD, value);
            client.write(Space.IO, address + DWORD, DWORD, value >>> Integer.SIZE);
        } else {
            client.write(spaces[bar], address, width, value);
        }
    }

    /**
     * Offset of the capability of that id, or 0 (PCI 3.0, section 6.7).
     *
     * @param id PCI 3.0, appendix H
     */
    int capability(int id) {
        int offset = (int) readConfig(Type0Header.CAPABILITIES_POINTER, 1) & ~0b11;
        // Each takes four bytes at least: a list that is longer goes in circles.
        int left = (Type0Header.SPACE_SIZE - Type0Header.END) / DWORD;
        while (offset >= Type0Header.END && left-- > 0) {
            if (readConfig(offset + Type0Header.CAPABILITY_ID, 1) == id) {
                return offset;
            }
            offset = (int) readConfig(offset + Type0Header.CAPABILITY_NEXT, 1) & ~0b11;
        }
        return 0;
    }
}
