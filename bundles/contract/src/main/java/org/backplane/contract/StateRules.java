package org.backplane.contract;

import static org.backplane.contract.Clause.require;

import java.util.List;
import org.backplane.device.state.SavedState;
import org.backplane.testkit.DeviceContract;
import org.backplane.testkit.FakeDeviceContext;
import org.backplane.testkit.TestMemory;

/** Saved state: docs/save-state.md, by {@link DeviceContract}. */
final class StateRules {
    private static final long SEED = 1;
    private static final int TRIES = 100;

    /** What of the other contract is judged. */
    @FunctionalInterface
    private interface Rule {
        void check(DeviceContract contract) throws Exception;
    }

    private StateRules() {}

    static List<Clause> clauses() {
        return List.of(
                Clause.of("savesUnderItsKind", StateRules::savesUnderItsKind),
                clause("readsReleasedStates", true, DeviceContract::readsReleasedStates),
                clause("refusesStatesOfOthers", true, DeviceContract::refusesStatesOfOthers),
                clause("savesWhatItRestored", false, DeviceContract::savesWhatItRestored),
                clause("savesWithoutAChange", false, DeviceContract::savesWithoutAChange),
                clause("restoresWithoutAnEffect", false, DeviceContract::restoresWithoutAnEffect),
                clause(
                        "ignoresNamesItDoesNotKnow",
                        false,
                        DeviceContract::ignoresNamesItDoesNotKnow),
                clause(
                        "defaultsNamesThatAreMissing",
                        false,
                        DeviceContract::defaultsNamesThatAreMissing),
                clause("trustsNoState", false, contract -> contract.trustsNoState(SEED, TRIES)),
                clause("bendsNoValue", false, contract -> contract.bendsNoValue(SEED, TRIES)));
    }

    /**
     * @param fundamental whether the others restore states that may be refused here
     */
    private static Clause clause(String name, boolean fundamental, Rule rule) {
        return new Clause(
                name,
                fundamental,
                trial -> {
                    try (TestMemory memory = new TestMemory()) {
                        Subject subject = trial.subject();
                        rule.check(
                                new DeviceContract(
                                        trial.factory(),
                                        () ->
                                                new FakeDeviceContext(
                                                        "judged0",
                                                        subject.kind(),
                                                        subject.settings(),
                                                        memory.guestMemory()),
                                        subject.released().toArray(SavedState[]::new)));
                    }
                });
    }

    /** The schema of a state is the kind's name, and versions count from 1. */
    private static void savesUnderItsKind(Trial trial) throws Exception {
        try (Bench bench = trial.started()) {
            bench.drain();
            SavedState state = bench.save();
            if (state == null) {
                return;
            }
            require(
                    state.schema().equals(trial.subject().kind()),
                    "saves a state of the schema '%s'; the schema is the name of the kind, '%s'",
                    state.schema(),
                    trial.subject().kind());
            require(
                    state.version() >= 1,
                    "saves version %d; versions begin with 1",
                    state.version());
        }
    }
}
