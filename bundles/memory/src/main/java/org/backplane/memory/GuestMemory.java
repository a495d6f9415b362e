package org.backplane.memory;

import java.util.List;
import org.backplane.linux.Fd;

/** The guest's memory: RAM from one shared memfd, and host memory mapped behind BARs. */
public final class GuestMemory implements AutoCloseable {
    /** Where one piece of RAM goes; pieces take the memfd's offsets in their order. */
    public record RamBank(long guestAddress, long length) {}

    /** Makes the memfd and maps all of it, shared. */
    public GuestMemory(String name, List<RamBank> banks) throws java.io.IOException {
        throw new AssertionError("skeleton");
    }

    public MemoryLayout layout() {
        throw new AssertionError("skeleton");
    }

    /** The listener is told of every range there is, then of changes. */
    public void addListener(MemoryListener listener) {
        throw new AssertionError("skeleton");
    }

    public void removeListener(MemoryListener listener) {
        throw new AssertionError("skeleton");
    }

    /** Maps part of a descriptor at a guest address. */
    public MemoryLease map(
            long guestAddress, Fd descriptor, long offset, long length, boolean writable)
            throws java.io.IOException {
        throw new AssertionError("skeleton");
    }

    /** A device's own way to the memory. */
    public MemoryView view(String owner) {
        throw new AssertionError("skeleton");
    }

    /** Clears all RAM, giving the pages back to the host. No processor may be running. */
    public void zero() {
        throw new AssertionError("skeleton");
    }

    @Override
    public void close() {
        throw new AssertionError("skeleton");
    }
}
