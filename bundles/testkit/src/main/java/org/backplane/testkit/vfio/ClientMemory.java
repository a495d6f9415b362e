package org.backplane.testkit.vfio;

import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.backplane.linux.Fd;
import org.backplane.linux.Mapping;
import org.backplane.memory.OffHeap;
import org.backplane.vfio.VfioException;
import org.backplane.vfio.user.ServedMemory;
import org.backplane.vfio.user.ServedWires;

/**
 * A client's memory as a device reaches it: mapped where the client gave a descriptor, by messages
 * elsewhere.
 */
final class ClientMemory {
    private record Run(ServedMemory memory, Optional<Mapping> mapping) {}

    private final TreeMap<Long, Run> runs = new TreeMap<>();

    synchronized void map(ServedMemory memory) throws VfioException {
        Optional<Mapping> mapping = Optional.empty();
        Fd descriptor = memory.descriptor().orElse(null);
        if (descriptor != null) {
            Mapping.Protection protection =
                    memory.writable() ? Mapping.Protection.READ_WRITE : Mapping.Protection.READ;
            try {
                mapping =
                        Optional.of(
                                Mapping.shared(
                                        descriptor, memory.offset(), memory.length(), protection));
            } catch (IOException e) {
                throw new VfioException("Cannot map %s: %s".formatted(memory, e.getMessage()), e);
            }
        }
        runs.put(memory.address(), new Run(memory, mapping));
    }

    synchronized void unmap(ServedMemory memory) {
        runs.remove(memory.address()).mapping().ifPresent(Mapping::close);
    }

    synchronized int count() {
        return runs.size();
    }

    /** Reads, by a message where that is wanted or the only way. */
    void read(ServedWires wires, long address, byte[] to, boolean byMessages) throws VfioException {
        if (byMessages || !copy(address, to, false)) {
            wires.readMemory(address, to);
        }
    }

    /** Writes, likewise. */
    void write(ServedWires wires, long address, byte[] from, boolean byMessages)
            throws VfioException {
        if (byMessages || !copy(address, from, true)) {
            wires.writeMemory(address, from);
        }
    }

    /** False if part of it is not mapped. */
    private synchronized boolean copy(long address, byte[] bytes, boolean write)
            throws VfioException {
        for (int done = 0; done < bytes.length; ) {
            Map.Entry<Long, Run> entry = runs.floorEntry(address + done);
            if (entry == null || address + done >= entry.getValue().memory().end()) {
                throw new VfioException("The client has no memory at 0x%x.".formatted(address));
            }
            Run run = entry.getValue();
            if (run.mapping().isEmpty()) {
                return false;
            }
            if (write && !run.memory().writable() || !write && !run.memory().readable()) {
                throw new VfioException("%s cannot be accessed so.".formatted(run.memory()));
            }
            long host = run.mapping().get().address() + (address + done - entry.getKey());
            int piece = (int) Math.min(bytes.length - done, run.memory().end() - address - done);
            if (write) {
                OffHeap.copy(bytes, done, host, piece);
            } else {
                OffHeap.copy(host, bytes, done, piece);
            }
            done += piece;
        }
        return true;
    }
}
