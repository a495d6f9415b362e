package org.backplane.rng;

import java.util.Map;
import org.backplane.testkit.DeviceContract;
import org.backplane.testkit.FakeDeviceContext;
import org.backplane.testkit.GoldenState;
import org.backplane.testkit.TestMemory;
import org.junit.jupiter.api.Test;

/** The contract that holds for devices of every kind. */
class RngContractTest {
    @Test
    void keepsToTheContractOfEveryDevice() throws Exception {
        try (TestMemory memory = new TestMemory()) {
            DeviceContract contract =
                    new DeviceContract(
                            new VirtioRngFactory(),
                            () ->
                                    new FakeDeviceContext(
                                            "rng0",
                                            VirtioRngFactory.KIND,
                                            Map.of("rate", "1000"),
                                            memory.guestMemory()),
                            GoldenState.read(RngContractTest.class, "virtio-rng-v1.properties"));
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
}
