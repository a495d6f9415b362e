package org.backplane.machine.board;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Collections;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.backplane.device.context.Lease;
import org.backplane.hypervisor.EventRoutes;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.Vm;
import org.backplane.linux.EventFd;
import org.backplane.machine.MachineException;

/**
 * The wired interrupts of a board: each source is the wired OR of its inputs, level-high.
 * Thread-safe.
 */
public final class InterruptLines {
    private static final Logger LOG = System.getLogger(InterruptLines.class.getName());

    private final Vm vm;
    private final Wiring wiring;
    private final int[] highInputs;

    /** By source, null while it is nobody's. */
    private final String[] owners;

    /**
     * Which sources a board has, by number. A source that is in none of the sets, such as that of a
     * timer that the engine has, is no slot's.
     *
     * @param sources highest number that the interrupt controller has
     * @param shared joined by many inputs and owned by nobody: where the PCI pins end
     * @param named those that a device can have by number, one owner each
     * @param free those of {@code named} that are given to who asks for any, lowest first
     */
    public record Wiring(
            int sources, Set<Integer> shared, Set<Integer> named, SortedSet<Integer> free) {
        public Wiring {
            shared = Set.copyOf(shared);
            named = Set.copyOf(named);
            free = Collections.unmodifiableSortedSet(new TreeSet<>(free));
            if (!named.containsAll(free) || !Collections.disjoint(shared, named)) {
                throw new IllegalArgumentException(
                        "shared %s, named %s, free %s".formatted(shared, named, free));
            }
            for (int source : named) {
                Objects.checkIndex(source, sources + 1);
            }
            for (int source : shared) {
                Objects.checkIndex(source, sources + 1);
            }
        }

        /**
         * From 1 on as many shared ones, and then up to the highest those that anybody can have.
         */
        public static Wiring sharedFirst(int shared, int sources) {
            SortedSet<Integer> behind = numbers(shared + 1, sources);
            return new Wiring(sources, numbers(1, shared), behind, behind);
        }

        private static SortedSet<Integer> numbers(int first, int last) {
            return IntStream.rangeClosed(first, last)
                    .boxed()
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }

    InterruptLines(Vm vm, Wiring wiring) {
        this.vm = vm;
        this.wiring = wiring;
        highInputs = new int[wiring.sources() + 1];
        owners = new String[wiring.sources() + 1];
    }

    /** A source of one owner, whichever is free. */
    public synchronized int allocate(String owner) throws MachineException {
        for (int source : wiring.free()) {
            if (owners[source] == null) {
                owners[source] = owner;
                return source;
            }
        }
        throw new MachineException(
                "No interrupt line is left for '%s': all %d are taken."
                        .formatted(owner, wiring.free().size()));
    }

    /** The source of that number, for one that asks for it or that had it before. */
    public synchronized void allocate(String owner, int source) throws MachineException {
        if (!wiring.named().contains(source)) {
            throw new MachineException(
                    "The interrupt line %d cannot be that of '%s': this board has %s for devices; give one of them."
                            .formatted(source, owner, new TreeSet<>(wiring.named())));
        }
        if (owners[source] != null) {
            throw new MachineException(
                    "The interrupt line %d cannot be that of '%s': it is taken by '%s'; %s."
                            .formatted(source, owner, owners[source], remedy()));
        }
        owners[source] = owner;
    }

    private String remedy() {
        SortedSet<Integer> free = new TreeSet<>(wiring.named());
        free.removeIf(source -> owners[source] != null);
        return free.isEmpty() ? "unplug one, for none is free" : "give one of " + free;
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

    /** Runs the listener each time the guest has finished with an interrupt of the source. */
    Lease onFinished(int source, Runnable listener) {
        return vm.onResample(source, listener)::close;
    }

    /**
     * Has the host's kernel carry eventfds to and from a source, beside its inputs.
     *
     * @return ends it; empty where the engine cannot, or not any more
     */
    Optional<Lease> route(int source, EventFd trigger, EventFd resample) {
        Optional<EventRoutes> routes = vm.eventRoutes();
        if (routes.isEmpty()) {
            return Optional.empty();
        }
        try {
            Vm.Lease lease = routes.get().line(trigger, resample, source);
            return Optional.of(lease::close);
        } catch (HypervisorException e) {
            LOG.log(
                    Level.WARNING,
                    () -> "interrupt line %d takes the way over a thread: %s".formatted(source, e));
            return Optional.empty();
        }
    }

    public synchronized void free(int source) {
        owners[source] = null;
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
