package org.backplane.contract.junit;

import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.backplane.contract.Contract;
import org.backplane.contract.Subject;
import org.backplane.contract.Verdict;
import org.backplane.device.DeviceFactory;
import org.backplane.device.state.SavedState;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The contract as tests, one a clause: a subclass says of which device. */
public abstract class DeviceContractTest {
    /** The kind, as the factory's service says. */
    protected abstract String kind();

    protected abstract DeviceFactory factory();

    /** Settings that the factory takes; none by default. */
    protected Map<String, String> settings() {
        return Map.of();
    }

    /** A golden state at least of each released version of the schema; none by default. */
    protected List<SavedState> released() {
        return List.of();
    }

    @TestFactory
    final Stream<DynamicTest> keepsTheContract() {
        Contract contract = new Contract(new Subject(kind(), factory(), settings(), released()));
        return Contract.clauses().stream()
                .map(clause -> dynamicTest(clause, () -> check(contract.judge(clause))));
    }

    private static void check(Verdict verdict) {
        switch (verdict.outcome()) {
            case KEPT -> {
                // Nothing to say.
            }
            case BROKEN -> fail(verdict.sentence());
            case NOT_JUDGED -> abort(verdict.sentence());
        }
    }
}
