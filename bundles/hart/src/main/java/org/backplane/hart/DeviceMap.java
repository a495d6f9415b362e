package org.backplane.hart;

import java.util.List;
import org.backplane.hypervisor.ExitHandler;
import org.backplane.hypervisor.InterruptControllers.RiscvAia;

/**
 * What answers at guest-physical addresses that are no memory: interrupt files, the APLIC,
 * doorbells, and the machine for all else. Thread-safe.
 */
final class DeviceMap {
    private static final int FILE_SIZE = 4096;

    private final RiscvAia layout;
    private final List<InterruptFile> files;
    private final Aplic aplic;
    private final Doorbells doorbells;
    private final ExitHandler exits;

    /**
     * @param files by hart; filled before the first access
     */
    DeviceMap(
            RiscvAia layout,
            List<InterruptFile> files,
            Aplic aplic,
            Doorbells doorbells,
            ExitHandler exits) {
        this.layout = layout;
        this.files = files;
        this.aplic = aplic;
        this.doorbells = doorbells;
        this.exits = exits;
    }

    long load(int hart, long address, int width) {
        long aplicOffset = address - layout.aplicBase();
        if (Long.compareUnsigned(aplicOffset, layout.aplicSize()) < 0) {
            return aplic.read((int) aplicOffset, width);
        }
        if (file(address) != null) {
            return 0;
        }
        return exits.mmioRead(hart, address, width);
    }

    /** Stores to an interrupt file; says whether there is one. */
    boolean storeMessage(long address, int width, long value) {
        InterruptFile file = file(address);
        if (file != null) {
            file.store((int) (address - layout.imsicBase()) % FILE_SIZE, width, value);
        }
        return file != null;
    }

    /** Rings a doorbell for a store; says whether there is one. */
    boolean ring(long address, int width) {
        return doorbells.ring(address, width);
    }

    void store(int hart, long address, int width, long value) {
        long aplicOffset = address - layout.aplicBase();
        if (Long.compareUnsigned(aplicOffset, layout.aplicSize()) < 0) {
            aplic.write((int) aplicOffset, width, (int) value);
        } else {
            exits.mmioWrite(hart, address, width, value);
        }
    }

    /** The interrupt file whose page holds an address, or null. */
    private InterruptFile file(long address) {
        long offset = address - layout.imsicBase();
        return Long.compareUnsigned(offset, (long) files.size() * FILE_SIZE) < 0
                ? files.get((int) (offset / FILE_SIZE))
                : null;
    }
}
