package org.backplane.hart;

import java.util.function.Consumer;
import org.backplane.memory.MemoryListener;
import org.backplane.memory.MemoryRange;

/** The VM's current {@link PhysicalMap}, kept up to date as ranges come and go. */
final class PhysicalMemory implements MemoryListener {
    private final Consumer<PhysicalMap> changed;
    private volatile PhysicalMap map = PhysicalMap.EMPTY;

    /**
     * @param changed has no hart use what a former map said, before it returns
     */
    PhysicalMemory(Consumer<PhysicalMap> changed) {
        this.changed = changed;
    }

    PhysicalMap map() {
        return map;
    }

    @Override
    public synchronized void added(MemoryRange range) {
        map = map.with(range);
        changed.accept(map);
    }

    @Override
    public synchronized void removed(MemoryRange range) {
        map = map.without(range);
        changed.accept(map);
    }
}
