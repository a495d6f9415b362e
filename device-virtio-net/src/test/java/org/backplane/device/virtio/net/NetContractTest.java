package org.backplane.device.virtio.net;

import java.util.List;
import java.util.Map;
import org.backplane.contract.junit.DeviceContractTest;
import org.backplane.device.DeviceFactory;
import org.backplane.device.state.SavedState;
import org.backplane.testkit.GoldenState;

/** The contract that holds for devices of every kind, for a card on no network. */
class NetContractTest extends DeviceContractTest {
    @Override
    protected String kind() {
        return VirtioNetFactory.KIND;
    }

    @Override
    protected DeviceFactory factory() {
        return new VirtioNetFactory();
    }

    @Override
    protected Map<String, String> settings() {
        return Map.of("backend", "none", "queues", "2");
    }

    @Override
    protected List<SavedState> released() {
        return List.of(GoldenState.read(NetContractTest.class, "virtio-net-v1.properties"));
    }
}
