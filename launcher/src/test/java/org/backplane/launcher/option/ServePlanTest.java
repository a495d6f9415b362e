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

/** What {@code serve} is asked for. */
class ServePlanTest {
    @TempDir Path folder;

    private final Problems problems = new Problems();
    private Path image;

    @BeforeEach
    void aKindAndAnImage() throws IOException {
        Files.createDirectories(folder.resolve("proc"));
        Files.createDirectories(folder.resolve("devices"));
        DeviceKindsTest.bundle(folder.resolve("devices/blk.jar"), DeviceSettingsTest.VIRTIO_BLK);
        image = Files.write(folder.resolve("disk.img"), new byte[4096]);
    }

    private Optional<Plan> read(String device, String socket, String name) throws IOException {
        return new PlanReader(
                        new HostMemory(folder),
                        new HostLibraries(folder, ""),
                        List.of(folder.resolve("devices")),
                        "busy"::equals)
                .serve(
                        new ServeOptions(
                                Optional.ofNullable(device),
                                Optional.ofNullable(socket),
                                Optional.ofNullable(name),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty()),
                        problems);
    }

    private void assertTold(String... sentences) {
        assertEquals(sentences.length, problems.count(), problems.sentences()::toString);
        for (int i = 0; i < sentences.length; i++) {
            String told = problems.sentences().get(i);
            assertTrue(told.contains(sentences[i]), told);
        }
    }

    @Test
    void makesAMachineOfOneSlotWithoutAGuest() throws IOException {
        Path socket = folder.resolve("disk.sock");
        Plan plan = read("virtio-blk,path=" + image, socket.toString(), "disk").orElseThrow();
        assertTold();
        Map<String, Object> map = plan.toMap(folder);
        assertEquals(socket.toString(), map.get("serve"));
        assertEquals("none", map.get("console"));
        assertEquals(0L, map.get("memory"));
        assertTrue(!map.containsKey("kernel"), map::toString);
        assertEquals(
                List.of(
                        Map.of(
                                "name",
                                "disk0",
                                "kind",
                                "virtio-blk",
                                "path",
                                image.toString(),
                                "source",
                                "serve virtio-blk,path=" + image)),
                map.get("slots"));
    }

    @Test
    void noDeviceMakesAClientWaitLongerThanItDoes() throws IOException {
        Plan plan =
                read("virtio-blk,path=" + image, folder.resolve("s").toString(), null)
                        .orElseThrow();
        Map<String, Object> map = plan.toMap(folder);
        for (String bound : List.of("bound.call", "bound.handler", "bound.vacancy")) {
            assertTrue((long) map.get(bound) < 5000, () -> bound + map);
        }
    }

    @Test
    void tellsOfEverythingThatIsWrongAtOnce() throws IOException {
        assertTrue(read("virtio-nothing,name=1/2", "/nowhere/at/all", "busy").isEmpty());
        assertTold(
                "a machine of that name runs already",
                "there is no folder /nowhere/at",
                "serve virtio-nothing,name=1/2",
                "there is no kind 'virtio-nothing'; the kinds are: virtio-blk");
    }

    @Test
    void offersOnlyWhatAClientHasABusFor() throws IOException {
        DeviceKindsTest.bundle(
                folder.resolve("devices/chips.jar"),
                "org.backplane.device;kind=uart;bus=board,org.backplane.device;kind=both;bus=board");
        DeviceKindsTest.bundle(
                folder.resolve("devices/more.jar"), "org.backplane.device;kind=both");
        assertTrue(read("virtio-nothing", folder.resolve("s").toString(), null).isEmpty());
        assertTrue(read("uart", folder.resolve("s").toString(), null).isEmpty());
        assertTold(
                "serve virtio-nothing: there is no kind 'virtio-nothing'; the kinds are: both, virtio-blk",
                "serve uart: the kind 'uart' is no PCI device, and nothing else can be served; the kinds are: both, virtio-blk");
        assertTrue(read("both", folder.resolve("s").toString(), null).isPresent());
    }

    @Test
    void tellsOfSettingsThatAreWrong() throws IOException {
        assertTrue(
                read("virtio-blk,path=/no/image,so=true", folder.resolve("s").toString(), null)
                        .isEmpty());
        assertTold("'so'", "/no/image");
    }

    @Test
    void refusesAPathThatIsTaken() throws IOException {
        Path taken = folder.resolve("taken");
        try (ServerSocketChannel other = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            other.bind(UnixDomainSocketAddress.of(taken));
            assertTrue(read("virtio-blk,path=" + image, taken.toString(), null).isEmpty());
        }
        assertTold("a process listens there; give another path");
    }

    @Test
    void refusesAPathOfSomethingElse() throws IOException {
        assertTrue(read("virtio-blk,path=" + image, image.toString(), null).isEmpty());
        assertTold("it exists already and is no socket");
    }

    @Test
    void asksForASocket() throws IOException {
        assertTrue(read("virtio-blk,path=" + image, null, null).isEmpty());
        assertTold("--socket is missing");
    }
}
