package org.backplane.testkit.vfio;

import java.io.IOException;
import java.util.Optional;
import org.backplane.linux.Fd;
import org.backplane.linux.Mapping;
import org.backplane.linux.Memfd;
import org.backplane.vfio.RegionInfo;

/** A BAR's bytes. */
final class DescribedBar implements AutoCloseable {
    /** Registers are within that many bytes of a BAR; what is behind needs no masks. */
    private static final int MASKED = 1 << 20;

    private final BarDescription description;
    private final Memfd memory;
    private final Mapping mapping;
    private final RegisterFile bytes;

    private DescribedBar(
            BarDescription description, Memfd memory, Mapping mapping, RegisterFile bytes) {
        this.description = description;
        this.memory = memory;
        this.mapping = mapping;
        this.bytes = bytes;
    }

    static DescribedBar open(BarDescription bar) throws IOException {
        long size = bar.size();
        int masked = (int) Math.min(size, MASKED);
        Memfd memory = Memfd.create("bar" + bar.index(), size);
        Mapping mapping;
        try {
            mapping = Mapping.shared(memory, 0, size, Mapping.Protection.READ_WRITE);
        } catch (IOException e) {
            memory.close();
            throw e;
        }
        RegisterFile bytes = RegisterFile.shared(mapping, masked).plain();
        for (Register register : bar.registers()) {
            bytes.describe(
                    Math.toIntExact(register.offset()),
                    register.width(),
                    register.value(),
                    register.writable(),
                    register.selfClearing());
        }
        return new DescribedBar(bar, memory, mapping, bytes);
    }

    RegionInfo region(BarDescription bar, boolean msix) {
        boolean mappable = !bar.mappable().isEmpty();
        return new RegionInfo(
                bar.index(), bar.size(), true, true, 0, bar.mappable(), msix && mappable);
    }

    Optional<Fd> mapping() {
        return description.mappable().isEmpty() ? Optional.empty() : Optional.of(memory);
    }

    BarDescription description() {
        return description;
    }

    RegisterFile bytes() {
        return bytes;
    }

    /** Sets the registers as they were at first, and leaves plain memory alone. */
    void restoreRegisters() {
        for (Register register : description.registers()) {
            bytes.set(register.offset(), register.width(), register.value());
        }
    }

    @Override
    public void close() {
        mapping.close();
        memory.close();
    }
}
