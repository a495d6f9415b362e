package org.backplane.launcher.option;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.backplane.launcher.kernel.KernelFile;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Networks of a command line, on a host that has libslirp unless a test takes it away. */
class NetOptionTest {
    private static final String VIRTIO_NET =
            "org.backplane.device;kind=virtio-net;settings:List<String>=\"backend!=user|tap|socket|none,"
                    + "if=text(15),path=file,listen=flag,mac=text(17),queues=1..8,mtu=68..65535,"
                    + "hostfwd=text(1000)\"";

    @TempDir Path folder;

    private final List<String> nets = new ArrayList<>();
    private final List<String> devices = new ArrayList<>();
    private Optional<String> config = Optional.empty();
    private Path library;

    @BeforeEach
    void aHostWithAKernelAKindAndALibrary() throws IOException {
        Files.createDirectories(folder.resolve("proc"));
        Files.writeString(folder.resolve("proc/meminfo"), "MemAvailable:    2097152 kB\n");
        Files.createDirectories(folder.resolve("devices"));
        DeviceKindsTest.bundle(folder.resolve("devices/net.jar"), VIRTIO_NET);
        Files.createDirectories(folder.resolve("etc/ld.so.conf.d"));
        Files.writeString(
                folder.resolve("etc/ld.so.conf.d/a.conf"), "# Multiarch\n/usr/lib/a-linux-gnu\n");
        library =
                Files.createDirectories(folder.resolve("usr/lib/a-linux-gnu"))
                        .resolve("libslirp.so.0");
        Files.createFile(library);
    }

    private Optional<Plan> read(Problems problems) throws IOException {
        return new PlanReader(
                        new HostMemory(folder),
                        new HostLibraries(folder, ""),
                        List.of(folder.resolve("devices")),
                        running -> false)
                .read(
                        new RunOptions(
                                Optional.of(
                                        KernelFile.write(folder.resolve("Image"), 30 << 20)
                                                .toString()),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty(),
                                List.of(),
                                nets,
                                devices,
                                List.of(),
                                Optional.of("none"),
                                Optional.of("one"),
                                Optional.empty(),
                                config,
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty(),
                                EngineOptions.NONE,
                                WindowOptions.NONE),
                        problems);
    }

    private List<SlotPlan> slots() throws IOException {
        Problems problems = new Problems();
        Optional<Plan> plan = read(problems);
        assertEquals(List.of(), problems.sentences());
        return plan.orElseThrow().slots();
    }

    private List<String> sentences() throws IOException {
        Problems problems = new Problems();
        assertTrue(read(problems).isEmpty());
        return problems.sentences();
    }

    private void refused(String... words) throws IOException {
        List<String> sentences = sentences();
        assertEquals(1, sentences.size(), sentences::toString);
        for (String word : words) {
            assertTrue(sentences.get(0).contains(word), () -> word + " is not in " + sentences);
        }
    }

    @Test
    void isTheShortFormOfADevice() throws IOException {
        nets.add(
                "user,hostfwd=tcp:8022-22,mac=52:54:00:AB:cd:01,hostfwd=udp:127.0.0.1:53-10.0.2.15:53");
        nets.add("tap=tap0,queues=4,mtu=9000,pin=org.acme.net");
        nets.add("socket=" + folder.resolve("a,,b") + ",name=link");
        nets.add("none");
        List<SlotPlan> slots = slots();
        assertEquals(
                List.of("net0", "net1", "link", "net2"),
                slots.stream().map(SlotPlan::name).toList());
        assertTrue(slots.stream().allMatch(slot -> slot.kind().equals("virtio-net")));
        assertEquals(
                List.of(
                        Map.of(
                                "backend",
                                "user",
                                "mac",
                                "52:54:00:AB:cd:01",
                                "hostfwd",
                                "tcp:8022-22;udp:127.0.0.1:53-10.0.2.15:53"),
                        Map.of(
                                "backend",
                                "tap",
                                "if",
                                "tap0",
                                "queues",
                                "4",
                                "mtu",
                                "9000",
                                "pin",
                                "org.acme.net"),
                        Map.of("backend", "socket", "path", folder.resolve("a,b").toString()),
                        Map.of("backend", "none")),
                slots.stream().map(SlotPlan::settings).toList());
        assertEquals("--net none", slots.get(3).source());
    }

    @Test
    void makesThePathOfASocketAbsolute() throws IOException {
        nets.add("socket=pom.xml.sock");
        assertEquals(
                Path.of("pom.xml.sock").toAbsolutePath().toString(),
                slots().get(0).settings().get("path"));
    }

    @Test
    void numbersNetworksOfEitherOptionTogether() throws IOException {
        nets.add("none");
        devices.add("virtio-net,backend=none");
        assertEquals(List.of("net0", "net1"), slots().stream().map(SlotPlan::name).toList());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "'';give user, tap=IF, socket=PATH or none",
                "bridge=br0;give user, tap=IF, socket=PATH or none",
                "tap;give user, tap=IF",
                "socket;socket=PATH",
                "user=1;user takes no value",
                "none=;none takes no value",
                "tap=;give 1 to 15",
                "tap=a/b;no name of an interface",
                "tap=sixteen-letters-;1 to 15",
                "socket=;give a path",
                "socket=/no/such/sock;there is no folder /no/such",
                "none,mac=1;give six bytes",
                "none,mac=52:54:00:12:34:5g;give six bytes",
                "none,mac=01:00:5e:00:00:01;no address of one station",
                "none,mac=00:00:00:00:00:00;no address of one station",
                "none,queues=9;give a number from 1 to 8",
                "none,mtu=67;give a number from 68",
                "none,colour=red;virtio-net has no setting 'colour'",
                "none,name=a b;a name has 1 to 32",
                "none,pin=@;symbolic name",
                "none,mtu=1500,mtu=1500;'mtu' is given twice",
                "none,backend=user;'backend' is said by the first word",
                "tap=t,if=u;'if' is said by the first word",
                "none,;there is nothing between two commas",
                "none,hostfwd=tcp:1-2;'hostfwd' is for user, not for none",
                "none,listen=on;'listen' is for socket, not for none",
                "user,hostfwd=8022-22;tcp:8022-22",
                "user,hostfwd=tcp:0-22;is wrong",
                "user,hostfwd=tcp:65536-22;is wrong",
                "user,hostfwd=tcp:22-0;is wrong",
                "user,hostfwd=tcp:256.0.0.1:22-22;is wrong",
                "user,hostfwd=tcp:localhost:22-22;is wrong",
                "user,hostfwd=tcp:22-22,hostfwd=;'hostfwd=' is wrong",
                "user,hostfwd=tcp:22-22,hostfwd=tcp:22-23;is taken by --net"
            })
    void refuses(String value, String remedy) throws IOException {
        nets.add(value);
        refused("--net " + (value.isEmpty() ? "''" : value) + ": ", remedy);
    }

    @Test
    void tellsEverythingThatIsWrongAtOnce() throws IOException {
        nets.add("tap=a/b,mac=1,queues=0");
        nets.add("bridge");
        assertEquals(4, sentences().size(), sentences()::toString);
    }

    @Test
    void refusesTwoOfWhatThereIsOnce() throws IOException {
        nets.add("tap=tap0,mac=52:54:00:00:00:0a,name=a");
        nets.add("tap=tap1,mac=52:54:00:00:00:0A");
        refused("mac=52:54:00:00:00:0a is taken by --net tap=tap0", "give another with mac=");
        nets.set(1, "tap=tap0");
        refused("interface tap0 is taken by --net tap=tap0");
        nets.set(1, "none,name=a");
        refused("the name 'a' is taken by --net tap=tap0");
        nets.set(1, "user,hostfwd=tcp:80-80");
        nets.add("user,hostfwd=tcp:80-81");
        refused("hostfwd tcp:80 is taken by --net user,hostfwd=tcp:80-80");
        nets.set(2, "user,hostfwd=udp:80-81");
        assertEquals(3, slots().size());
    }

    @Test
    void joinsTwoNetworksOfOneMachineByASocket() throws IOException {
        nets.add("socket=" + folder.resolve("sock"));
        nets.add("socket=" + folder.resolve("sock"));
        assertEquals(2, slots().size());
    }

    @Test
    void holdsADeviceAndAFileToTheSame() throws IOException {
        devices.add("virtio-net,backend=tap");
        refused("--device virtio-net,backend=tap: backend tap needs if=");
        devices.set(0, "virtio-net,backend=none,mac=52:54:00:00:00:01");
        Path slots = Files.createDirectories(folder.resolve("slots"));
        Files.writeString(
                slots.resolve("a.cfg"),
                "name=x\nkind=virtio-net\nbackend=socket\nmac=52:54:00:00:00:01\n");
        config = Optional.of(slots.toString());
        assertEquals(2, sentences().size(), sentences()::toString);
        assertTrue(sentences().get(0).contains("backend socket needs path="));
        assertTrue(
                sentences().get(1).contains("is taken by --device virtio-net"),
                sentences()::toString);
    }

    @ParameterizedTest
    @ValueSource(strings = {"user", "user,hostfwd=tcp:8022-22"})
    void saysHowToInstallWhatTheUserNetworkNeeds(String value) throws IOException {
        nets.add(value);
        nets.add("none");
        assertEquals(2, slots().size());
        Files.delete(library);
        refused("--net " + value, "libslirp.so.0", "apt-get install libslirp0");
    }

    @Test
    void findsALibraryWhereTheLinkerIsToldToLook() throws IOException {
        Path own = Files.createDirectories(folder.resolve("own"));
        Files.createFile(own.resolve("libx.so.1"));
        assertTrue(new HostLibraries(folder, "relative:" + own).has("libx.so.1"));
        assertTrue(!new HostLibraries(folder, "").has("libx.so.1"));
    }

    @Test
    void refusesAFileAtTheSocketsPlaceAndTakesASocketOver() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        nets.add("socket=" + file);
        refused("it exists already and is no socket");
        Path socket = folder.resolve("sock");
        nets.set(0, "socket=" + socket);
        try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listener.bind(UnixDomainSocketAddress.of(socket));
            assertEquals(1, slots().size(), "there is a peer");
        }
        assertEquals(1, slots().size(), "it will be listened there");
        nets.set(0, "socket=" + folder.resolve("x".repeat(108)));
        refused("at most 107 bytes");
    }
}
