package org.backplane.contract;

import static org.backplane.contract.Clause.require;

import java.util.List;
import java.util.Random;

/** A virtio device and its requests. Devices without queues keep these as they are. */
final class QueueRules {
    private static final int ROUNDS = 8;

    /** A buffer as no driver of small requests offers it, in bytes. */
    private static final int LARGE = 1 << 19;

    /** Judges a device that serves. */
    @FunctionalInterface
    private interface Rule {
        void check(Bench bench, Traffic traffic) throws Exception;
    }

    /** Judges a device that has served. */
    @FunctionalInterface
    private interface AfterRequests {
        void check(Traffic traffic);
    }

    private QueueRules() {}

    static List<Clause> clauses() {
        return List.of(
                afterRequests("completesWhatItTook", QueueRules::completesWhatItTook),
                afterRequests("completesOnce", QueueRules::completesOnce),
                afterRequests("tellsTheDriver", QueueRules::tellsTheDriver),
                clause("takesNothingWhileQuiesced", QueueRules::takesNothingWhileQuiesced),
                Clause.of("servesAgainAfterResume", QueueRules::servesAgainAfterResume),
                afterRequests("writesOnlyIntoBuffers", QueueRules::writesOnlyIntoBuffers),
                clause("survivesAHostileDriver", QueueRules::survivesAHostileDriver));
    }

    private static Clause clause(String name, Rule rule) {
        return Clause.of(
                name,
                trial -> {
                    try (Bench bench = trial.started()) {
                        if (bench.traffic() != null) {
                            rule.check(bench, bench.traffic());
                        }
                    }
                });
    }

    /**
     * Of requests of each kind, because a device that can make nothing of one may break the ring
     * for it; a broken ring gives and takes nothing more.
     */
    private static Clause afterRequests(String name, AfterRequests rule) {
        return Clause.of(
                name,
                trial -> {
                    for (Traffic.Chain kind : Traffic.Chain.values()) {
                        try (Bench bench = trial.started()) {
                            Traffic traffic = bench.traffic();
                            if (traffic == null) {
                                return;
                            }
                            run(bench, traffic, List.of(kind));
                            bench.drain();
                            traffic.collect();
                            if (traffic.brokenRing().isEmpty()) {
                                rule.check(traffic);
                            }
                        }
                    }
                });
    }

    private static void run(Bench bench, Traffic traffic, List<Traffic.Chain> kinds)
            throws Exception {
        Random random = Bench.random();
        for (int round = 0; round < ROUNDS; round++) {
            traffic.offerSome(random, kinds);
            traffic.work();
            bench.passTime();
            traffic.collect();
        }
    }

    /** At rest, no request is out that was taken: a driver waits for each. */
    private static void completesWhatItTook(Traffic traffic) {
        require(
                traffic.outstanding() == 0,
                "lost %d requests of %d: it took them, says that it is idle, and did not complete them",
                traffic.outstanding(),
                traffic.offered());
    }

    /** A request is answered once: by the second time its descriptors may be another's. */
    private static void completesOnce(Traffic traffic) {
        require(
                traffic.lateCompletions() == 0,
                "completed %d requests more than once",
                traffic.lateCompletions());
    }

    /** Who completes tells the driver: it sleeps until it is interrupted. */
    private static void tellsTheDriver(Traffic traffic) {
        require(
                traffic.returned() == 0 || traffic.interrupts() > 0,
                "completed %d requests and never called interrupt()",
                traffic.returned());
    }

    /** Stores go into the writable buffers of a request, and nowhere else. */
    private static void writesOnlyIntoBuffers(Traffic traffic) {
        String trespass = traffic.trespass();
        require(trespass.isEmpty(), "wrote to guest memory that is not its: %s", trespass);
    }

    /** After quiesce nothing new is taken, whoever rings. */
    private static void takesNothingWhileQuiesced(Bench bench, Traffic traffic) throws Exception {
        bench.drain();
        traffic.collect();
        int returned = traffic.returned();
        traffic.offerSome(Bench.random());
        traffic.work();
        bench.passTime();
        traffic.collect();
        int taken = traffic.outstanding() + traffic.returned() - returned;
        require(taken == 0, "took %d requests while it was quiesced", taken);
    }

    /** A swap that comes to nothing, and a snapshot, leave the device to go on. */
    private static void servesAgainAfterResume(Trial trial) throws Exception {
        for (Traffic.Chain kind : Traffic.Chain.values()) {
            try (Bench bench = trial.started()) {
                Traffic traffic = bench.traffic();
                if (traffic == null) {
                    return;
                }
                run(bench, traffic, List.of(kind));
                bench.drain();
                traffic.collect();
                int before = traffic.returned();
                if (traffic.outstanding() > 0) {
                    // Lost, which is another clause's.
                    continue;
                }
                bench.device().resume();
                run(bench, traffic, List.of(kind));
                bench.drain();
                traffic.collect();
                require(
                        before == 0
                                || traffic.returned() > before
                                || !traffic.brokenRing().isEmpty(),
                        "served %d requests, and none any more after quiesce and resume",
                        before);
            }
        }
    }

    /** Rings of any content break the ring at most, and a reset mends it. */
    private static void survivesAHostileDriver(Bench bench, Traffic traffic) throws Exception {
        Random random = Bench.random();
        try {
            for (int round = 0; round < ROUNDS; round++) {
                Traffic current = bench.traffic();
                if (round == 0) {
                    current.offerLarge(random, LARGE);
                } else {
                    current.offerNonsense(random);
                }
                current.work();
                bench.passTime();
                bench.reset();
            }
        } catch (RuntimeException thrown) {
            throw new AssertionError(
                    "threw %s for what a hostile driver offered%s"
                            .formatted(thrown, Judge.where(thrown.getStackTrace())),
                    thrown);
        }
        run(bench, bench.traffic(), List.of(Traffic.Chain.values()));
    }
}
