package org.backplane.launcher.option;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Devices of a host that has 0000:01:00.0 with VFIO, 01:00.1 with a driver and 02:00.0 with none.
 */
class VfioOptionTest {
    private static final String VFIO =
            "org.backplane.device;kind=vfio;settings:List<String>=\"host=pci-address,socket=file,iommu=auto|group|iommufd\"";

    @TempDir Path root;

    private final Problems problems = new Problems();

    @BeforeEach
    void aHost() throws IOException {
        function("0000:01:00.0", "vfio-pci");
        function("0000:01:00.1", "e1000e");
        grouped(Files.createDirectories(root.resolve("sys/bus/pci/devices/0000:02:00.0")));
        ServerSocketChannel.open(StandardProtocolFamily.UNIX)
                .bind(UnixDomainSocketAddress.of(root.resolve("served.sock")))
                .close();
    }

    private void function(String address, String driver) throws IOException {
        Path folder = Files.createDirectories(root.resolve("sys/bus/pci/devices/" + address));
        Files.createSymbolicLink(
                folder.resolve("driver"), Path.of("../../../../bus/pci/drivers/" + driver));
        grouped(folder);
    }

    private static void grouped(Path folder) throws IOException {
        Files.createSymbolicLink(
                folder.resolve("iommu_group"), Path.of("../../../../kernel/iommu_groups/1"));
    }

    @Test
    void bindingIsNoRemedyWhereNoIommuTranslates() throws IOException {
        Files.delete(root.resolve("sys/bus/pci/devices/0000:01:00.1/iommu_group"));
        read(List.of(), List.of("01:00.1"));
        refused("the host runs without an IOMMU; switch VT-d, AMD-Vi or the SMMU on");
    }

    @Test
    void oneBehindNoIommuIsToldApartFromAHostWithoutAny() throws IOException {
        Files.delete(root.resolve("sys/bus/pci/devices/0000:01:00.1/iommu_group"));
        Files.createDirectories(root.resolve("sys/kernel/iommu_groups/1"));
        read(List.of(), List.of("01:00.1"));
        refused("no IOMMU of the host translates for it; put the card into another slot");
    }

    @Test
    void aRelativeSocketIsToldWhole() throws IOException {
        read(List.of(), List.of("user:no.sock"));
        refused("there is no socket " + Path.of("no.sock").toAbsolutePath() + ";");
    }

    @Test
    void refusesAFolderAndAFileInPlaceOfASocket() throws IOException {
        read(List.of(), List.of("user:" + root));
        refused("--vfio user:" + root + ": " + root + " is no socket; give the path");
        read(List.of("vfio,socket=" + Files.createFile(root.resolve("file"))), List.of());
        assertEquals(2, problems.count(), () -> problems.sentences().toString());
        assertTrue(problems.sentences().get(1).contains(root.resolve("file") + " is no socket"));
    }

    private List<SlotPlan> read(List<String> devices, List<String> vfios) throws IOException {
        return new SlotReader(DeviceKinds.declared(VFIO), new HostLibraries(root, ""), problems)
                .read(List.of(), List.of(), devices, vfios, Optional.empty());
    }

    private void refused(String... words) {
        assertEquals(1, problems.count(), () -> problems.sentences().toString());
        for (String word : words) {
            String sentence = problems.sentences().get(0);
            assertTrue(sentence.contains(word), () -> word + " is not in " + sentence);
        }
    }

    @Test
    void becomesASlotOfKindVfio() throws IOException {
        List<SlotPlan> slots =
                read(
                        List.of(),
                        List.of(
                                "01:00.0,name=nic,iommu=group",
                                "user:" + root.resolve("served.sock") + ",port=1"));
        assertEquals(List.of(), problems.sentences());
        assertEquals(
                new SlotPlan(
                        "nic",
                        "vfio",
                        Map.of("host", "0000:01:00.0", "iommu", "group"),
                        "--vfio 01:00.0,name=nic,iommu=group"),
                slots.get(0));
        assertEquals("vfio0", slots.get(1).name());
        assertEquals(
                Map.of("socket", root.resolve("served.sock").toString(), "port", "1"),
                slots.get(1).settings());
    }

    @ParameterizedTest
    @ValueSource(strings = {"nic", "1:0.0", "0000:01:20.0", "0000:01:00.8", "", "host=01:00.0"})
    void refusesWhatIsNoDevice(String text) throws IOException {
        read(List.of(), List.of(text));
        refused("give the address of a PCI function of the host, 0000:01:00.0, or user:PATH");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "01:00.1|the host uses it by its driver e1000e; hand it over with: backplane vfio bind 0000:01:00.1",
                "02:00.0|it is not bound to vfio-pci; hand it over with: backplane vfio bind 0000:02:00.0",
                "03:00.0|the host has no PCI function 0000:03:00.0; backplane check lists",
                "01:00.0,iommu=none|'iommu=none' is wrong: give one of: auto, group, iommufd",
                "01:00.0,host=01:00.0|'host' is said by the first word",
                "01:00.0,rom=on|vfio has no setting 'rom'",
                "01:00.0,|there is nothing between two commas",
                "user:/no/such.sock|there is no socket /no/such.sock; start the device's server first",
                "user:|give the path of a socket after user:",
            })
    void refusesWithTheReasonAndTheRemedy(String text, String sentence) throws IOException {
        read(List.of(), List.of(text));
        refused("--vfio " + text + ": ", sentence);
    }

    @Test
    void refusesTheInterfaceOfTheKernelForAnotherProcess() throws IOException {
        read(List.of(), List.of("user:" + root.resolve("served.sock") + ",iommu=group"));
        refused("iommu= is for a device of this host; leave it out");
    }

    @Test
    void refusesOneDeviceInTwoSlotsHoweverItIsSpelled() throws IOException {
        read(List.of("vfio,host=01:00.0"), List.of("0000:01:00.0"));
        refused("--vfio 0000:01:00.0: this is the device of --device vfio,host=01:00.0 too");
    }

    @Test
    void aSocketIsPassedOnWhole() throws IOException {
        assertEquals(
                Map.of("socket", root.resolve("served.sock").toString()),
                read(List.of(), List.of("user:" + relativeSocket())).get(0).settings());
    }

    @Test
    void refusesOneServerInTwoSlotsHoweverItIsSpelled() throws IOException {
        read(
                List.of("vfio,socket=" + relativeSocket()),
                List.of("user:" + root.resolve("served.sock")));
        refused("this is the device of --device vfio,socket=");
    }

    private Path relativeSocket() {
        return Path.of("").toAbsolutePath().relativize(root.resolve("served.sock"));
    }

    @Test
    void refusesTwoDevicesInOneSlot() throws IOException {
        read(List.of("vfio,host=01:00.0,socket=" + root.resolve("served.sock")), List.of());
        refused("host= and socket= name two devices; leave one out");
    }

    @Test
    void aDeviceByItsKindIsHeldToTheSame() throws IOException {
        read(List.of("vfio,host=01:00.1", "vfio", "vfio,host=x"), List.of());
        assertEquals(3, problems.count(), () -> problems.sentences().toString());
        assertTrue(problems.sentences().get(0).contains("driver e1000e"));
        assertTrue(problems.sentences().get(1).contains("no device is named"));
        assertTrue(
                problems.sentences()
                        .get(2)
                        .contains("'host=x' is wrong: give the address of a PCI function"));
    }
}
