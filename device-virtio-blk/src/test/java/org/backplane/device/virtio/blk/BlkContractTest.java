package org.backplane.device.virtio.blk;

import java.nio.file.Path;
import java.util.Map;
import org.backplane.testkit.DeviceContract;
import org.backplane.testkit.FakeDeviceContext;
import org.backplane.testkit.TestMemory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The contract that holds for devices of every kind. */
class BlkContractTest {
    @TempDir Path folder;

    @Test
    void keepsToTheContractOfEveryDevice() throws Exception {
        String image = Disk.image(folder).toString();
        try (TestMemory memory = new TestMemory()) {
            DeviceContract contract =
                    new DeviceContract(
                            new VirtioBlkFactory(),
                            () ->
                                    new FakeDeviceContext(
                                            "disk0",
                                            "virtio-blk",
                                            Map.of("path", image),
                                            memory.guestMemory()),
                            BlkStateTest.GOLDEN);
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
