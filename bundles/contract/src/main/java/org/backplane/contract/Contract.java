package org.backplane.contract;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The contract of one kind of device. Its clauses are judged in their order: those at the start are
 * what the others build on, and once one of them is broken the rest cannot be judged.
 *
 * <p>Not thread-safe, and nothing else should run that opens files: clauses look at what the whole
 * process has open.
 */
public final class Contract {
    /** How long the machine waits for a call into a device before it calls the device broken. */
    public static final Duration BOUND = Duration.ofSeconds(5);

    private static final List<Clause> CLAUSES =
            Stream.of(
                            LifeRules.clauses(),
                            RegisterRules.clauses(),
                            QueueRules.clauses(),
                            StateRules.clauses(),
                            HostRules.clauses())
                    .flatMap(List::stream)
                    .toList();

    private final Judge judge;

    /** Broken, and a foundation of the others; null if there is none. */
    private String broken;

    public Contract(Subject subject) {
        this(subject, BOUND);
    }

    /**
     * @param bound how long a single call into a device may take
     */
    public Contract(Subject subject, Duration bound) {
        judge = new Judge(subject, bound);
    }

    /** The names of the clauses, in their order. */
    public static List<String> clauses() {
        return CLAUSES.stream().map(Clause::name).toList();
    }

    /**
     * Judges a clause.
     *
     * @param name one of {@link #clauses}
     */
    public Verdict judge(String name) {
        Clause clause =
                CLAUSES.stream()
                        .filter(each -> each.name().equals(name))
                        .findFirst()
                        .orElseThrow(() -> new IllegalArgumentException("no clause " + name));
        if (broken != null) {
            return new Verdict(
                    name, Verdict.Outcome.NOT_JUDGED, "not judged, because of " + broken);
        }
        Verdict verdict = judge.judge(clause);
        if (clause.fundamental() && verdict.outcome() == Verdict.Outcome.BROKEN) {
            broken = name;
        }
        return verdict;
    }

    /**
     * Judges all clauses.
     *
     * @param told each verdict as it is found
     * @return those that are not kept, or could not be judged
     */
    public List<Verdict> judge(Consumer<Verdict> told) {
        List<Verdict> faults = new ArrayList<>();
        for (String name : clauses()) {
            Verdict verdict = judge(name);
            told.accept(verdict);
            if (verdict.outcome() != Verdict.Outcome.KEPT) {
                faults.add(verdict);
            }
        }
        return faults;
    }
}
