package org.backplane.contract;

import java.util.List;
import org.backplane.linux.Fd;

/** A host, and a machine, that give less than was asked for. */
final class HostRules {
    private HostRules() {}

    static List<Clause> clauses() {
        return List.of(
                Clause.of("survivesAHostThatFails", HostRules::survivesAHostThatFails),
                Clause.of("survivesRefusedMemory", HostRules::survivesRefusedMemory));
    }

    /** Every call on a kept descriptor fails: requests may fail, the device goes on. */
    private static void survivesAHostThatFails(Trial trial) throws Exception {
        judge(
                trial,
                "when every call on the host failed",
                bench ->
                        bench.slot().keptResources().stream()
                                .filter(Fd.class::isInstance)
                                .forEach(descriptor -> ((Fd) descriptor).close()));
    }

    /** No address translates: the machine has cut the device off from the guest. */
    private static void survivesRefusedMemory(Trial trial) throws Exception {
        judge(
                trial,
                "when guest memory was refused to it",
                bench -> bench.slot().memory().revoke());
    }

    /** What goes wrong. */
    @FunctionalInterface
    private interface Fault {
        void happen(Bench bench);
    }

    private static void judge(Trial trial, String when, Fault fault) throws Exception {
        try (Bench bench = trial.started()) {
            bench.drive(Bench.random());
            fault.happen(bench);
            try {
                bench.drive(Bench.random());
                bench.drain();
            } catch (RuntimeException thrown) {
                throw new AssertionError(
                        "threw %s %s%s"
                                .formatted(thrown, when, Judge.where(thrown.getStackTrace())),
                        thrown);
            }
        }
    }
}
