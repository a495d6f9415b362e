package org.backplane.testdev;

import java.util.List;
import org.backplane.contract.junit.DeviceContractTest;
import org.backplane.device.DeviceFactory;
import org.backplane.device.state.SavedState;
import org.backplane.testkit.GoldenState;

class TestdevContractTest extends DeviceContractTest {
    @Override
    protected String kind() {
        return PciTestdevFactory.KIND;
    }

    @Override
    protected DeviceFactory factory() {
        return new PciTestdevFactory();
    }

    @Override
    protected List<SavedState> released() {
        return List.of(GoldenState.read(TestdevContractTest.class, "pci-testdev-v1.properties"));
    }
}
