package org.backplane.rng;

import java.util.List;
import java.util.Map;
import org.backplane.contract.junit.DeviceContractTest;
import org.backplane.device.DeviceFactory;
import org.backplane.device.state.SavedState;
import org.backplane.testkit.GoldenState;

class RngContractTest extends DeviceContractTest {
    @Override
    protected String kind() {
        return VirtioRngFactory.KIND;
    }

    @Override
    protected DeviceFactory factory() {
        return new VirtioRngFactory();
    }

    @Override
    protected Map<String, String> settings() {
        return Map.of("rate", "1000");
    }

    @Override
    protected List<SavedState> released() {
        return List.of(GoldenState.read(RngContractTest.class, "virtio-rng-v1.properties"));
    }
}
