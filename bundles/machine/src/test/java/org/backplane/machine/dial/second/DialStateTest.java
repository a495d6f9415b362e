package org.backplane.machine.dial.second;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.machine.dial.Dial;
import org.backplane.testkit.DeviceContract;
import org.backplane.testkit.FakeDeviceContext;
import org.backplane.testkit.GoldenState;
import org.junit.jupiter.api.Test;

/** The tests of docs/save-state.md. */
class DialStateTest {
    private static final SavedState FIRST = GoldenState.read(Dial.class, "dial-v1.properties");
    private static final SavedState SECOND = GoldenState.read(Dial.class, "dial-v2.properties");

    private final DeviceContract contract =
            new DeviceContract(
                    SecondDial::new,
                    () -> new FakeDeviceContext("dial0", "dial", Map.of()),
                    FIRST,
                    SECOND);

    @Test
    void savesWhatTheGoldenFileHolds() {
        GoldenState.requireSame(Dial.class, "dial-v2.properties", new DialState(42, 60).saved());
    }

    @Test
    void readsWhatEveryReleaseSaved() throws DeviceException {
        assertEquals(new DialState(42, 100), DialState.of(FIRST));
        assertEquals(new DialState(42, 60), DialState.of(SECOND));
    }

    @Test
    void keepsToTheContract() throws Exception {
        contract.goesThroughItsLife();
        contract.savesWhatItRestored();
        contract.savesWithoutAChange();
        contract.restoresWithoutAnEffect();
        contract.readsReleasedStates();
        contract.ignoresNamesItDoesNotKnow();
        contract.defaultsNamesThatAreMissing();
        contract.refusesStatesOfOthers();
        contract.trustsNoState(1, 100);
        contract.bendsNoValue(1, 100);
    }
}
