package org.backplane.device.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext;
import org.backplane.testkit.FakeDeviceContext;
import org.backplane.testkit.TestMemory;
import org.backplane.testkit.vfio.DescribedDevice;
import org.backplane.testkit.vfio.DescribedDevices;
import org.backplane.vfio.VfioDevice;
import org.backplane.vfio.user.VfioUserServer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Slots of one machine that name the same device. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HostTransportsTest {
    @TempDir Path folder;

    /** What the slots share is the machine's; a slot alone has its own. */
    private final Map<String, AutoCloseable> shared = new HashMap<>();

    private VfioDevice open(FakeDeviceContext slot) throws DeviceException {
        DeviceContext ofMachine =
                (DeviceContext)
                        Proxy.newProxyInstance(
                                DeviceContext.class.getClassLoader(),
                                new Class<?>[] {DeviceContext.class},
                                (proxy, method, values) -> {
                                    if (method.getName().equals("shared")) {
                                        if (!shared.containsKey(values[0])) {
                                            shared.put(
                                                    (String) values[0],
                                                    (AutoCloseable)
                                                            ((DeviceContext.Opener<?>) values[2])
                                                                    .open());
                                        }
                                        return shared.get(values[0]);
                                    }
                                    try {
                                        return method.invoke(slot, values);
                                    } catch (InvocationTargetException e) {
                                        throw e.getCause();
                                    }
                                });
        return new HostTransports().open(ofMachine, VfioSettings.of(slot));
    }

    private static FakeDeviceContext slot(String name, Path socket, TestMemory memory) {
        return new FakeDeviceContext(
                name, VfioFactory.KIND, Map.of("socket", socket.toString()), memory.guestMemory());
    }

    @Test
    void aServersDeviceIsInOneSlotAtATime() throws Exception {
        Path socket = folder.resolve("device");
        try (TestMemory memory = new TestMemory();
                DescribedDevice served = DescribedDevice.open(DescribedDevices.r8168());
                VfioUserServer server = VfioUserServer.open(socket, served);
                FakeDeviceContext second = slot("nic2", server.path(), memory)) {
            try (FakeDeviceContext first = slot("nic1", socket, memory)) {
                VfioDevice device = open(first);
                assertEquals(
                        "Slot 'nic2': The device at '%s' is in another slot of this machine; unplug that first, or give another socket."
                                .formatted(socket),
                        assertThrows(DeviceException.class, () -> open(second)).getMessage());
                assertEquals(0x816810ecL, device.read(VfioDevice.CONFIG, 0, 4));
            }
            assertEquals(0x816810ecL, open(second).read(VfioDevice.CONFIG, 0, 4));
        } finally {
            for (AutoCloseable each : shared.values()) {
                each.close();
            }
        }
    }
}
