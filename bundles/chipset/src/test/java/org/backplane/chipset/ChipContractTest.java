package org.backplane.chipset;

import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.backplane.device.DeviceFactory;
import org.backplane.device.state.SavedState;
import org.backplane.testkit.DeviceContract;
import org.backplane.testkit.FakeDeviceContext;
import org.backplane.testkit.GoldenState;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The contract that holds for devices of every kind. */
class ChipContractTest {
    static Stream<Arguments> chips() {
        return Stream.of(
                arguments(new Ns16550aFactory(), List.of(golden(Ns16550aTest.GOLDEN))),
                arguments(new GoldfishRtcFactory(), List.of(golden(GoldfishRtcTest.GOLDEN))),
                arguments(new PowerSwitchFactory(), List.of()));
    }

    private static SavedState golden(String file) {
        return GoldenState.read(ChipContractTest.class, file);
    }

    private static DeviceContract contract(DeviceFactory chip, List<SavedState> released) {
        return new DeviceContract(
                chip,
                () -> new FakeDeviceContext("chip0", "chip", Map.of()),
                released.toArray(SavedState[]::new));
    }

    @ParameterizedTest
    @MethodSource("chips")
    void goesThroughItsLife(DeviceFactory chip, List<SavedState> released) throws Exception {
        contract(chip, released).goesThroughItsLife();
    }

    @ParameterizedTest
    @MethodSource("chips")
    void readsStatesOfOtherBuilds(DeviceFactory chip, List<SavedState> released) throws Exception {
        contract(chip, released).savesWhatItRestored();
        contract(chip, released).savesWithoutAChange();
        contract(chip, released).restoresWithoutAnEffect();
        contract(chip, released).readsReleasedStates();
        contract(chip, released).ignoresNamesItDoesNotKnow();
        contract(chip, released).defaultsNamesThatAreMissing();
        contract(chip, released).refusesStatesOfOthers();
    }

    @ParameterizedTest
    @MethodSource("chips")
    void trustsNoState(DeviceFactory chip, List<SavedState> released) throws Exception {
        contract(chip, released).trustsNoState(1, 100);
    }

    @ParameterizedTest
    @MethodSource("chips")
    void bendsNoValue(DeviceFactory chip, List<SavedState> released) throws Exception {
        contract(chip, released).bendsNoValue(1, 100);
    }
}
