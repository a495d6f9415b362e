package org.backplane.chipset;

import java.util.Map;
import java.util.stream.Stream;
import org.backplane.device.DeviceFactory;
import org.backplane.testkit.DeviceContract;
import org.backplane.testkit.FakeDeviceContext;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The contract that holds for devices of every kind. */
class ChipContractTest {
    static Stream<DeviceFactory> chips() {
        return Stream.of(new Ns16550aFactory(), new GoldfishRtcFactory(), new PowerSwitchFactory());
    }

    private static DeviceContract contract(DeviceFactory chip) {
        return new DeviceContract(chip, () -> new FakeDeviceContext("chip0", "chip", Map.of()));
    }

    @ParameterizedTest
    @MethodSource("chips")
    void goesThroughItsLife(DeviceFactory chip) throws Exception {
        contract(chip).goesThroughItsLife();
    }

    @ParameterizedTest
    @MethodSource("chips")
    void readsStatesOfOtherBuilds(DeviceFactory chip) throws Exception {
        contract(chip).savesWhatItRestored();
        contract(chip).ignoresNamesItDoesNotKnow();
        contract(chip).defaultsNamesThatAreMissing();
        contract(chip).refusesStatesOfOthers();
    }

    @ParameterizedTest
    @MethodSource("chips")
    void trustsNoState(DeviceFactory chip) throws Exception {
        contract(chip).trustsNoState(1, 300);
    }
}
