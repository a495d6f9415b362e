package org.backplane.vfio.user;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The memory that a client has given, none of which overlaps. Not thread-safe. */
final class DmaTable {
    private final int most;
    private final TreeMap<Long, ServedMemory> maps = new TreeMap<>();

    DmaTable(int most) {
        this.most = most;
    }

    boolean isFull() {
        return maps.size() >= most;
    }

    boolean overlaps(long address, long length) {
        Map.Entry<Long, ServedMemory> below = maps.lowerEntry(address + length);
        return below != null && below.getValue().end() > address;
    }

    void add(ServedMemory memory) {
        maps.put(memory.address(), memory);
    }

    /** Exactly that run, which is taken out. */
    Optional<ServedMemory> take(long address, long length) {
        ServedMemory memory = maps.get(address);
        if (memory == null || memory.length() != length) {
            return Optional.empty();
        }
        return Optional.of(maps.remove(address));
    }

    List<ServedMemory> takeAll() {
        List<ServedMemory> all = List.copyOf(maps.values());
        maps.clear();
        return all;
    }

    int size() {
        return maps.size();
    }
}
