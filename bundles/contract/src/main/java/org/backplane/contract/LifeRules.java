package org.backplane.contract;

import static org.backplane.contract.Clause.require;

import java.io.File;
import java.util.List;
import java.util.Objects;
import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SaveSupport;
import org.backplane.pci.PciDevice;
import org.backplane.virtio.VirtioDevice;

/** A device's life: it is made, serves, rests, is reset and goes, and leaves nothing behind. */
final class LifeRules {
    private static final int LIVES = 3;
    private static final String INVENTED = "invented.setting";

    private LifeRules() {}

    static List<Clause> clauses() {
        return List.of(
                Clause.fundamental("isMade", LifeRules::isMade),
                Clause.fundamental("describesItself", LifeRules::describesItself),
                Clause.fundamental("returnsFromEveryCall", LifeRules::returnsFromEveryCall),
                Clause.fundamental("throwsNothing", LifeRules::throwsNothing),
                Clause.fundamental("comesToRest", LifeRules::comesToRest),
                Clause.of("refusesSettingsItDoesNotKnow", LifeRules::refusesUnknownSettings),
                Clause.of("startsNoThread", LifeRules::startsNoThread),
                Clause.of("neverWaits", LifeRules::neverWaits),
                Clause.of("leavesNothingOpen", LifeRules::leavesNothingOpen),
                Clause.of("takesNoMoreLeases", LifeRules::takesNoMoreLeases));
    }

    /** From its settings the factory makes a device. */
    private static void isMade(Trial trial) throws Exception {
        try (Bench bench = trial.bench()) {
            Device made;
            try {
                made = make(trial, bench);
            } catch (DeviceException refused) {
                throw new AssertionError(
                        "refused the settings %s: %s"
                                .formatted(trial.subject().settings(), refused.getMessage()),
                        refused);
            } catch (RuntimeException thrown) {
                throw new AssertionError("threw %s when it was made".formatted(thrown), thrown);
            }
            require(made != null, "the factory returned no device");
            trial.calls()
                    .during(
                            "close",
                            () -> {
                                made.close();
                                return null;
                            });
        }
    }

    private static Device make(Trial trial, Bench bench) throws Exception {
        return trial.calls().during("create", () -> trial.subject().factory().create(bench.slot()));
    }

    /** It has a shape that a function can have, the same all its life, and says how it is saved. */
    private static void describesItself(Trial trial) throws Exception {
        try (Bench bench = trial.bench()) {
            Device device = Observed.device(make(trial, bench), trial.calls());
            try {
                Object shape = shape(device);
                require(
                        shape.equals(shape(device)),
                        "has another shape when it is asked again: %s, then %s",
                        shape,
                        shape(device));
                Class<?> answer = kindOfSupport(device);
                require(
                        answer == kindOfSupport(device),
                        "answers differently each time whether it can save");
            } catch (RuntimeException thrown) {
                throw new AssertionError(
                        "threw %s when it was asked what it is".formatted(thrown), thrown);
            } finally {
                device.close();
            }
        }
    }

    private static Object shape(Device device) {
        Object shape = List.of();
        if (device instanceof PciDevice pci) {
            shape = pci.shape();
        } else if (device instanceof VirtioDevice virtio) {
            shape = virtio.shape();
        }
        return Objects.requireNonNull(shape, "no shape");
    }

    private static Class<?> kindOfSupport(Device device) {
        SaveSupport support = device.saveSupport();
        require(support != null, "does not say how it is saved");
        return support.getClass();
    }

    /** A whole life, with a guest that does all it can. */
    private static void live(Trial trial) throws Exception {
        try (Bench bench = trial.started()) {
            bench.drive(Bench.random());
            if (bench.rests()) {
                bench.save();
            }
            bench.device().resume();
            bench.drive(Bench.random());
            bench.reset();
            bench.drive(Bench.random());
            bench.rests();
        }
    }

    /** No call waits or computes for longer than the machine lets it. The runner sees to it. */
    private static void returnsFromEveryCall(Trial trial) throws Exception {
        try (Bench bench = trial.started()) {
            bench.drive(Bench.random());
            bench.rests();
            bench.device().resume();
            bench.drive(Bench.random());
        } catch (Exception | AssertionError ofAnotherRule) {
            // What it throws is the next clause's.
            return;
        }
    }

    /** Whatever the guest does, nothing is thrown. */
    private static void throwsNothing(Trial trial) throws Exception {
        try {
            live(trial);
        } catch (DeviceException | RuntimeException thrown) {
            throw new AssertionError(
                    "threw %s%s".formatted(thrown, Judge.where(thrown.getStackTrace())), thrown);
        } catch (AssertionError ofAnotherRule) {
            // Coming to rest is the next clause's.
            return;
        }
    }

    /** After quiesce it is idle as soon as what was under way is done; as often as it is asked. */
    private static void comesToRest(Trial trial) throws Exception {
        try (Bench bench = trial.started()) {
            for (int round = 0; round < LIVES; round++) {
                bench.drive(Bench.random());
                bench.drain();
                bench.device().resume();
                bench.reset();
            }
            bench.drain();
        }
    }

    /** A setting that it does not know is refused by name, and not overlooked. */
    private static void refusesUnknownSettings(Trial trial) throws Exception {
        var settings = Bench.with(trial.subject().settings(), INVENTED, "1");
        try (Bench bench = new Bench(trial, settings)) {
            try {
                bench.create();
            } catch (DeviceException refused) {
                String sentence = Objects.requireNonNullElse(refused.getMessage(), "");
                require(
                        sentence.contains(INVENTED),
                        "refused a setting that it does not know with the sentence '%s', which does not name '%s'",
                        sentence,
                        INVENTED);
                return;
            }
            throw new AssertionError(
                    "took the setting %s=1, which means nothing to it".formatted(INVENTED));
        }
    }

    /** Workers are the machine's: a device has no threads. */
    private static void startsNoThread(Trial trial) throws Exception {
        ThreadGroup group = Thread.currentThread().getThreadGroup();
        try (Bench bench = trial.started()) {
            bench.drive(Bench.random());
            Thread[] threads = new Thread[16];
            int count = group.enumerate(threads);
            for (int i = 0; i < count; i++) {
                require(
                        threads[i] == Thread.currentThread(),
                        "started the thread '%s'; the workers of a device are the machine's",
                        threads[i].getName());
            }
        }
    }

    /** A device never waits: it registers a callback and returns. */
    private static void neverWaits(Trial trial) throws Exception {
        live(trial);
        require(
                trial.calls().waited() == null,
                "waited in %s; who waits registers a callback and returns",
                trial.calls().waited());
    }

    /** What it opened is kept by the slot or closed with it: lives leave no descriptor behind. */
    private static void leavesNothingOpen(Trial trial) throws Exception {
        live(trial);
        int before = openDescriptors();
        for (int i = 0; i < LIVES; i++) {
            live(trial);
        }
        int more = openDescriptors() - before;
        require(more < LIVES, "left %d descriptors open after %d lives", more, LIVES);
    }

    private static int openDescriptors() {
        String[] open = new File("/proc/self/fd").list();
        return open == null ? 0 : open.length;
    }

    /** Leases are taken once and serve all its life. */
    private static void takesNoMoreLeases(Trial trial) throws Exception {
        try (Bench bench = trial.started()) {
            bench.drive(Bench.random());
            bench.reset();
            int first = bench.slot().openLeases();
            for (int round = 0; round < LIVES; round++) {
                bench.drive(Bench.random());
                bench.reset();
            }
            int more = bench.slot().openLeases() - first;
            require(
                    more < LIVES,
                    "took %d more leases in %d resets and gave none back",
                    more,
                    LIVES);
        }
    }
}
