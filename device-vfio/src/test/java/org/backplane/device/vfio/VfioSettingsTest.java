package org.backplane.device.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.backplane.device.DeviceException;
import org.backplane.testkit.FakeDeviceContext;
import org.backplane.vfio.PciHostAddress;
import org.backplane.vfio.kernel.IommuChoice;
import org.junit.jupiter.api.Test;

class VfioSettingsTest {
    private static VfioSettings read(Map<String, String> settings) throws DeviceException {
        try (var slot = new FakeDeviceContext("nic1", VfioFactory.KIND, settings)) {
            return VfioSettings.of(slot);
        }
    }

    private static String refusal(Map<String, String> settings) {
        return assertThrows(DeviceException.class, () -> read(settings)).getMessage();
    }

    @Test
    void takesAFunctionOfTheHostWithOrWithoutItsDomain() throws Exception {
        PciHostAddress address = new PciHostAddress(0, 1, 0, 0);
        assertEquals(Optional.of(address), read(Map.of("host", "01:00.0")).host());
        assertEquals(
                new VfioSettings(Optional.of(address), Optional.empty(), IommuChoice.GROUP),
                read(Map.of("host", "0000:01:00.0", "iommu", "group")));
    }

    @Test
    void takesASocket() throws Exception {
        assertEquals(
                Optional.of(Path.of("/run/nvme.sock")),
                read(Map.of("socket", "/run/nvme.sock")).socket());
    }

    @Test
    void refusesWhatNamesNoDeviceOrTwo() {
        assertEquals(
                "Slot 'nic1': no device is named; give host=0000:01:00.0 or socket=PATH.",
                refusal(Map.of()));
        assertEquals(
                "Slot 'nic1': host=01:00.0 and socket=/x name two devices; leave one out.",
                refusal(Map.of("host", "01:00.0", "socket", "/x")));
        assertEquals(
                "Slot 'nic1': socket= is empty; give the path of a vfio-user server's socket.",
                refusal(Map.of("socket", "")));
        assertEquals(
                "Slot 'nic1': host=1:0 is no address of a PCI function such as 0000:01:00.0; 'lspci -D' lists them.",
                refusal(Map.of("host", "1:0")));
    }

    @Test
    void refusesAnInterfaceThatThereIsNot() {
        assertEquals(
                "Slot 'nic1': iommu=type1 is none of auto, group and iommufd; give one.",
                refusal(Map.of("host", "01:00.0", "iommu", "type1")));
        assertEquals(
                "Slot 'nic1': iommu=group is for a device of this host, not for socket=/x; leave it out.",
                refusal(Map.of("socket", "/x", "iommu", "group")));
    }
}
