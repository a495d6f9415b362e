package org.backplane.machine.board;

import java.util.Arrays;
import java.util.concurrent.atomic.LongAdder;
import org.backplane.hypervisor.Vm;
import org.backplane.machine.MachineException;

/**
 * The wired interrupts of a board: each source is the wired OR of its inputs, level-high.
 * Thread-safe.
 */
public final class InterruptLines {
    private final Vm vm;
    private final int[] highInputs;
    private final boolean[] taken;

    /**
     * @param shared sources from 1 that many inputs may join, for the PCI pins; the others have one
     *     owner
     * @param sources highest source number
     */
    InterruptLines(Vm vm, int shared, int sources) {
        this.vm = vm;
        highInputs = new int[sources + 1];
        taken = new boolean[sources + 1];
        Arrays.fill(taken, 0, shared + 1, true);
    }

    /** A source of one owner. */
    public synchronized int allocate(String owner) throws MachineException {
        for (int source = 1; source < taken.length; source++) {
            if (!taken[source]) {
                taken[source] = true;
                return source;
            }
        }
        throw new MachineException(
                "No interrupt line is left for '%s': all %d are taken."
                        .formatted(owner, taken.length - 1));
    }

    /** A source that had this owner before: a restored slot's. */
    public synchronized void allocate(String owner, int source) throws MachineException {
        if (source < 1 || source >= taken.length || taken[source]) {
            throw new MachineException(
                    "The interrupt line %d cannot be that of '%s': it is %s."
                            .formatted(
                                    source,
                                    owner,
                                    source < 1 || source >= taken.length
                                            ? "none of this board"
                                            : "taken"));
        }
        taken[source] = true;
    }

    /**
     * Tells the engine every source's level, whatever it was told before: after a restore its own
     * idea of them comes from the time of the snapshot.
     */
    public synchronized void assertAll() {
        for (int source = 1; source < highInputs.length; source++) {
            vm.setLine(source, highInputs[source] > 0);
        }
    }

    public synchronized void free(int source) {
        taken[source] = false;
    }

    /** A new input of a source; low. */
    public Input input(int source) {
        return new Input(source, null);
    }

    /**
     * As {@link #input(int)}.
     *
     * @param raised takes one each time the input rises
     */
    public Input input(int source, LongAdder raised) {
        return new Input(source, raised);
    }

    /** One input of a wired OR. */
    public final class Input {
        private final int source;

        /** Null if nobody counts. */
        private final LongAdder raised;

        private boolean high;

        private Input(int source, LongAdder raised) {
            this.source = source;
            this.raised = raised;
        }

        public int source() {
            return source;
        }

        public void set(boolean level) {
            // The level reaches the controller under the lock: two inputs that change together
            // must not hand over their levels in the wrong order.
            synchronized (InterruptLines.this) {
                if (high == level) {
                    return;
                }
                high = level;
                if (high && raised != null) {
                    raised.increment();
                }
                highInputs[source] += level ? 1 : -1;
                if (highInputs[source] == (level ? 1 : 0)) {
                    vm.setLine(source, level);
                }
            }
        }
    }
}
