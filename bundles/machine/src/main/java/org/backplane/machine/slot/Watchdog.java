package org.backplane.machine.slot;

import java.util.HashMap;
import java.util.Map;
import org.backplane.machine.processor.MachineThread;

/**
 * Finds threads that stay inside of a device. A thread on its way in counts its entries: one that
 * is inside with the same count at several looks in a row has not come out in between. What that
 * costs an access is one addition.
 */
final class Watchdog {
    private final int looks;
    private Map<MachineThread, Stay> stays = Map.of();

    /** A thread inside, and at how many looks it was. */
    private record Stay(Object gate, long entries, int looks) {
        boolean goesOn(MachineThread thread) {
            return thread.entries() == entries && thread.inside() == gate;
        }
    }

    /**
     * @param looks how often in a row a thread may be found inside
     */
    Watchdog(int looks) {
        this.looks = looks;
    }

    /** Called at equal intervals, by one thread. */
    void look() {
        var now = new HashMap<MachineThread, Stay>();
        for (MachineThread thread : MachineThread.all()) {
            long entries = thread.entries();
            if (!(thread.inside() instanceof Gate gate)) {
                continue;
            }
            Stay before = stays.get(thread);
            if (before == null || !before.goesOn(thread)) {
                now.put(thread, new Stay(gate, entries, 1));
            } else if (before.looks < looks) {
                now.put(thread, new Stay(gate, entries, before.looks + 1));
            } else {
                gate.overstayed(thread);
            }
        }
        stays = now;
    }
}
