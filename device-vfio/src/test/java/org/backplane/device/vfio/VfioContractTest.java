package org.backplane.device.vfio;

import java.util.List;
import java.util.Map;
import org.backplane.contract.junit.DeviceContractTest;
import org.backplane.device.DeviceFactory;
import org.backplane.device.state.SavedState;
import org.backplane.testkit.GoldenState;

class VfioContractTest extends DeviceContractTest {
    @Override
    protected String kind() {
        return VfioFactory.KIND;
    }

    @Override
    protected DeviceFactory factory() {
        return new VfioFactory(
                (context, settings) ->
                        context.kept("device", PlayedDevice.class, PlayedDevice::nvme));
    }

    @Override
    protected Map<String, String> settings() {
        return Map.of("host", "0000:01:00.0");
    }

    @Override
    protected List<SavedState> released() {
        return List.of(GoldenState.read(VfioContractTest.class, "vfio-v1.properties"));
    }
}
