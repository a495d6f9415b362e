package org.backplane.vfio.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.backplane.vfio.PciHostAddress;
import org.backplane.vfio.VfioException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On a sysfs that does what the kernel's does with drivers; its writes can fail. */
class DriverBindingTest {
    private static final PciHostAddress NIC = PciHostAddress.parse("01:00.0").orElseThrow();

    @TempDir Path root;

    private HostTree tree;
    private int writes;
    private int failing;
    private boolean refusing;

    @BeforeEach
    void aHostWithACard() throws IOException {
        tree = new HostTree(root);
        tree.add(NIC.toString(), "e1000e", 5, 0x020000);
    }

    private DriverBinding binding() {
        return new DriverBinding(tree.host(), root.resolve("run"), this::write);
    }

    private void write(Path attribute, String value) throws IOException {
        if (++writes == failing) {
            throw new IOException("Input/output error");
        }
        Path folder = tree.function(NIC.toString());
        Path driver = folder.resolve("driver");
        switch (attribute.getFileName().toString()) {
            case "driver_override" -> Files.writeString(attribute, value.strip());
            case "unbind" -> Files.delete(driver);
            case "bind" -> link(driver, attribute.getParent().getFileName().toString());
            case "drivers_probe" -> {
                String override = Files.readString(folder.resolve("driver_override"));
                String wanted = override.isEmpty() ? "e1000e" : override;
                if (!Files.exists(driver) && !(refusing && wanted.equals("vfio-pci"))) {
                    link(driver, wanted);
                }
            }
            default -> throw new IOException("no such attribute " + attribute);
        }
    }

    private static void link(Path driver, String name) throws IOException {
        Files.createSymbolicLink(driver, Path.of("../../drivers/" + name));
    }

    private Optional<String> driver() throws IOException {
        return tree.host().function(NIC).driver();
    }

    private String override() throws IOException {
        return Files.readString(tree.function(NIC.toString()).resolve("driver_override")).strip();
    }

    @Test
    void bindsAndGivesBackToTheDriverBefore() throws Exception {
        String bound = binding().bind(NIC);
        assertTrue(bound.contains("before it had the driver e1000e"), bound);
        assertEquals(Optional.of("vfio-pci"), driver());
        assertTrue(binding().bind(NIC).contains("already"));
        String released = binding().release(NIC);
        assertTrue(released.contains("with the driver e1000e"), released);
        assertEquals(Optional.of("e1000e"), driver());
        assertEquals("", override());
        assertEquals(List.of(), HostPci.names(root.resolve("run")));
        assertTrue(binding().release(NIC).contains("is not with VFIO"));
    }

    @Test
    void aFunctionThatHadNoDriverHasNoneAgain() throws Exception {
        Files.delete(tree.function(NIC.toString()).resolve("driver"));
        assertTrue(binding().bind(NIC).contains("had no driver"));
        assertTrue(binding().release(NIC).contains("without a driver"));
        assertEquals(Optional.empty(), driver());
    }

    @Test
    void whicheverStepOfBindingFailsEverythingIsAsItWas() throws Exception {
        binding().bind(NIC);
        int steps = writes;
        binding().release(NIC);
        for (int step = 1; step <= steps; step++) {
            writes = 0;
            failing = step;
            VfioException e = assertThrows(VfioException.class, () -> binding().bind(NIC));
            assertTrue(
                    e.getMessage().contains("Input/output error; it is as it was"), e::getMessage);
            assertEquals(Optional.of("e1000e"), driver());
            assertEquals("", override());
            assertEquals(List.of(), HostPci.names(root.resolve("run")));
        }
    }

    @Test
    void aDriverThatDoesNotTakeItIsUndoneToo() throws Exception {
        refusing = true;
        VfioException e = assertThrows(VfioException.class, () -> binding().bind(NIC));
        assertTrue(e.getMessage().contains("the driver vfio-pci did not take it"), e::getMessage);
        assertEquals(Optional.of("e1000e"), driver());
        assertEquals("", override());
    }

    @Test
    void whicheverStepOfGivingBackFailsItStaysWithVfio() throws Exception {
        binding().bind(NIC);
        int before = writes;
        binding().release(NIC);
        int steps = writes - before;
        failing = 0;
        binding().bind(NIC);
        for (int step = 1; step <= steps; step++) {
            writes = 0;
            failing = step;
            VfioException e = assertThrows(VfioException.class, () -> binding().release(NIC));
            assertTrue(
                    e.getMessage().contains("Input/output error; it is as it was"), e::getMessage);
            assertEquals(Optional.of("vfio-pci"), driver());
        }
        failing = 0;
        binding().release(NIC);
        assertEquals(Optional.of("e1000e"), driver());
    }

    @Test
    void refusesWhatSomebodyUses() throws Exception {
        binding().bind(NIC);
        tree.process(99, "java", "/dev/vfio/5");
        VfioException e = assertThrows(VfioException.class, () -> binding().release(NIC));
        assertTrue(e.getMessage().contains("in use by process 99 (java)"), e::getMessage);
        assertEquals(Optional.of("vfio-pci"), driver());
    }

    private void staysWithTheHost(String reason) throws IOException {
        VfioException e = assertThrows(VfioException.class, () -> binding().bind(NIC));
        assertTrue(e.getMessage().contains("stays with the host: " + reason), e::getMessage);
        assertEquals(Optional.of("e1000e"), driver());
        assertEquals(0, writes);
    }

    private void behind(String type, String name) throws IOException {
        Files.createDirectories(tree.function(NIC.toString()).resolve(type + "/" + name));
        Files.createDirectories(root.resolve("sys/class/" + type));
        Files.createSymbolicLink(
                root.resolve("sys/class/" + type + "/" + name),
                tree.function(NIC.toString()).resolve(type + "/" + name));
    }

    @Test
    void keepsAMountedDisk() throws Exception {
        behind("block", "sda1");
        tree.file("sys/class/block/sda1/dev", "8:1\n");
        tree.file("proc/self/mountinfo", "22 1 8:2 / /mnt rw - ext4 /dev/sdb2 rw\n");
        binding().bind(NIC);
        binding().release(NIC);
        writes = 0;
        tree.file("proc/self/mountinfo", "22 1 8:1 / /home rw - ext4 /dev/root rw\n");
        staysWithTheHost("its disk sda1 is mounted at /home");
        tree.file("proc/self/mountinfo", "22 1 0:35 / /data rw shared:1 - btrfs /dev/sda1 rw\n");
        staysWithTheHost("its disk sda1 is mounted at /data");
    }

    @Test
    void keepsSwapSpaceAndPartsOfVolumes() throws Exception {
        behind("block", "sda2");
        tree.file("proc/swaps", "Filename Type Size Used Priority\n/dev/sda2\tpartition 1 0 -2\n");
        staysWithTheHost("its disk sda2 is swap space");
        tree.file("proc/swaps", "");
        tree.file("sys/class/block/sda2/holders/dm-0", "");
        staysWithTheHost("its disk sda2 is part of dm-0");
    }

    @Test
    void keepsNamespacesThatHangBelowASubsystem() throws Exception {
        Files.createDirectories(tree.function(NIC.toString()).resolve("nvme/nvme0"));
        Path subsystem = root.resolve("sys/class/nvme-subsystem/nvme-subsys0");
        Files.createDirectories(subsystem.resolve("nvme0"));
        Files.createDirectories(subsystem.resolve("nvme0n1"));
        Files.createDirectories(root.resolve("sys/class/block"));
        Files.createSymbolicLink(
                root.resolve("sys/class/block/nvme0n1"), subsystem.resolve("nvme0n1"));
        tree.file("sys/class/block/nvme0n1/dev", "259:0\n");
        tree.file("proc/self/mountinfo", "22 1 259:0 / / rw - ext4 /dev/nvme0n1 rw\n");
        staysWithTheHost("its disk nvme0n1 is mounted at /");
    }

    @Test
    void keepsTheWayToTheNetworkAlsoBelowABridge() throws Exception {
        behind("net", "eth0");
        tree.file(
                "proc/net/route",
                "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"
                        + "br0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n");
        binding().bind(NIC);
        binding().release(NIC);
        writes = 0;
        tree.file("sys/class/net/eth0/upper_br0", "");
        staysWithTheHost("the host's default route goes through its interface eth0");
    }

    @Test
    void refusesBridgesAndHostsWithoutADriverOrAnIommu() throws Exception {
        tree.add("0000:00:1c.0", "pcieport", 3, 0x060400);
        PciHostAddress bridge = PciHostAddress.parse("00:1c.0").orElseThrow();
        assertTrue(
                assertThrows(VfioException.class, () -> binding().bind(bridge))
                        .getMessage()
                        .contains("it is a bridge (class 0x060400)"));
        Files.delete(root.resolve("sys/bus/pci/drivers/vfio-pci"));
        assertTrue(
                assertThrows(VfioException.class, () -> binding().bind(NIC))
                        .getMessage()
                        .contains("modprobe vfio-pci"));
        tree.add("0000:05:00.0", "", -1, 0x020000);
        PciHostAddress lone = PciHostAddress.parse("05:00.0").orElseThrow();
        assertTrue(
                assertThrows(VfioException.class, () -> binding().bind(lone))
                        .getMessage()
                        .contains("no IOMMU of the host translates for it"));
        assertEquals(0, writes);
    }

    @Test
    void theReportTellsGroupsDriversAndViability() throws Exception {
        tree.add("0000:01:00.1", "vfio-pci", 5, 0x020000);
        tree.addReady("0000:02:00.0", 6);
        tree.add("0000:00:1c.0", "pcieport", 6, 0x060400);
        tree.add("0000:03:00.0", "", 7, 0x020000);
        List<HostReport.Line> lines = new HostReport(tree.host()).lines();
        assertEquals(
                List.of(
                        new HostReport.Line(true, "vfio-pci is loaded, by groups and iommufd"),
                        new HostReport.Line(
                                false,
                                "group 5: 0000:01:00.0 (8086:10d3, driver e1000e), 0000:01:00.1 (8086:10d3, driver vfio-pci): not viable"),
                        new HostReport.Line(
                                true, "group 6: 0000:02:00.0 (8086:10d3, driver vfio-pci): viable"),
                        new HostReport.Line(
                                false,
                                "group 7: 0000:03:00.0 (8086:10d3, no driver): with the host")),
                lines);
    }

    @Test
    void theReportListsFunctionsBehindNoIommuToo(@TempDir Path other) throws Exception {
        HostTree bare = new HostTree(other);
        bare.add("0000:00:00.0", "", -1, 0x060000);
        bare.add("0000:00:03.0", "virtio-pci", -1, 0x020000);
        List<HostReport.Line> lines = new HostReport(bare.host()).lines();
        assertEquals(2, lines.size());
        assertTrue(lines.get(0).text().contains("without an IOMMU"), lines::toString);
        assertEquals(
                new HostReport.Line(false, "no group: 0000:00:03.0 (8086:10d3, driver virtio-pci)"),
                lines.get(1));
        bare.add("0000:01:00.0", "", 1, 0x020000);
        lines = new HostReport(bare.host()).lines();
        assertEquals(
                "no group: 0000:00:03.0 (8086:10d3, driver virtio-pci)",
                lines.get(lines.size() - 1).text());
    }
}
