package org.backplane.launcher.option;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.FileChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PlanReaderTest extends PlanReading {
    @Test
    void vacancyAndProbationAreSecondsWithinTheirBounds() throws IOException {
        assertEquals(new Plan.Bounds(5, 10), plan().bounds());
        options.put("vacancy", "15");
        options.put("probation", "0");
        assertEquals(15_000L, plan().toMap(folder).get("bound.vacancy"));
        assertEquals(0L, plan().toMap(folder).get("bound.probation"));
        options.put("vacancy", "16");
        assertTrue(refusal().contains("--vacancy 16"), refusal());
        options.put("vacancy", "5");
        options.put("probation", "soon");
        assertTrue(refusal().contains("--probation soon"), refusal());
    }

    @Test
    void fillsInWhatIsNotGiven() throws IOException {
        Plan plan = plan();
        assertEquals("vm2", plan.name(), "vm runs already");
        assertEquals(512L << 20, plan.memory());
        assertEquals(1, plan.cpus());
        assertEquals("console=ttyS0", plan.append());
        assertEquals("stdio", plan.console());
        assertEquals(List.of(), plan.slots());
    }

    @Test
    void givesTheMachineEverythingInClassesOfTheJdk() throws IOException {
        options.put("initrd", file("initrd", 100).toString());
        options.put("memory", "1G");
        options.put("cpus", "4");
        options.put("name", "one");
        options.put("append", "quiet");
        options.put("console", "file=" + folder.resolve("out"));
        options.put("bundles", folder.resolve("devices").toString());
        disks.add(disk + ",ro,serial=S1");
        devices.add("virtio-rng,rate=5,fast");
        Map<String, Object> map = plan().toMap(Path.of("/run/x"));
        assertEquals(1L << 30, map.get("memory"));
        assertEquals(4, map.get("cpus"));
        assertEquals("one", map.get("name"));
        assertEquals("quiet", map.get("append"));
        assertEquals("file=" + folder.resolve("out"), map.get("console"));
        assertEquals("/run/x", map.get("runFolder"));
        assertEquals(folder.resolve("initrd").toString(), map.get("initrd"));
        assertEquals(folder.resolve("devices").toString(), map.get("bundles"));
        assertFalse(map.containsKey("config"));
        assertEquals(
                List.of(
                        Map.of(
                                "name", "disk0",
                                "kind", "virtio-blk",
                                "path", disk.toString(),
                                "ro", "true",
                                "serial", "S1",
                                "source", "--disk " + disk + ",ro,serial=S1"),
                        Map.of(
                                "name", "virtio-rng0",
                                "kind", "virtio-rng",
                                "rate", "5",
                                "fast", "true",
                                "source", "--device virtio-rng,rate=5,fast")),
                map.get("slots"));
    }

    @Test
    void numbersDisksPastNamesThatAreGiven() throws IOException {
        disks.add(disk.toString());
        disks.add(file("b", 512) + ",name=disk0");
        disks.add(file("c", 512).toString());
        assertEquals(
                List.of("disk1", "disk0", "disk2"),
                plan().slots().stream().map(SlotPlan::name).toList());
    }

    @Test
    void takesDoubledCommasIntoPaths() throws IOException {
        Path odd = file("a,b", 512);
        disks.add(odd.toString().replace(",", ",,"));
        assertEquals(odd.toString(), plan().slots().get(0).settings().get("path"));
    }

    @Test
    void saysThatAKernelIsMissing() throws IOException {
        options.remove("kernel");
        refused("--kernel", "riscv64");
    }

    @Test
    void refusesAKernelThatIsAbsent() throws IOException {
        options.put("kernel", "/no/such");
        refused("--kernel", "/no/such", "no such file");
    }

    @Test
    void refusesAKernelThatIsNone() throws IOException {
        options.put("kernel", disk.toString());
        refused("--kernel", disk.toString(), "no kernel that can be started but something else");
    }

    @Test
    void refusesAnInitrdThatIsAbsent() throws IOException {
        options.put("initrd", "/no/such");
        refused("--initrd", "/no/such");
    }

    @ParameterizedTest
    @CsvSource({
        "12X, no size",
        "0, no size",
        "16M, at least 48M",
        "400M7, no size",
        "3G, does not fit",
        "536870913, multiple of 4K"
    })
    void refusesMemory(String value, String word) throws IOException {
        options.put("memory", value);
        refused("--memory " + value, word);
    }

    @Test
    void countsTheInitrdTwiceSinceItIsUnpacked() throws IOException {
        options.put("initrd", file("initrd", 100 << 20).toString());
        options.put("memory", "192M");
        refused("--memory", "at least 248M");
    }

    @Test
    void guessesThatAPlainNumberMeansMegabytes() throws IOException {
        options.put("memory", "4096");
        refused("--memory", "did you mean 4096M");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "33", "-1", "two", "", "99999999999"})
    void refusesProcessors(String value) throws IOException {
        options.put("cpus", value);
        refused("--cpus", "1 to 32");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"a/b", "", ".x", "-x", "a b", "..", "x123456789012345678901234567890123"})
    void refusesNames(String value) throws IOException {
        options.put("name", value);
        refused("--name", "1 to 32 letters");
    }

    @Test
    void refusesTheNameOfARunningMachine() throws IOException {
        options.put("name", "busy");
        refused("--name busy", "runs already", "vm:stop");
    }

    @Test
    void refusesAnAppendedLineThatIsTooLong() throws IOException {
        options.put("append", "x".repeat(1024));
        refused("--append", "1023");
    }

    @Test
    void refusesAnAppendedLineOfTwoLines() throws IOException {
        options.put("append", "a\nb");
        refused("--append", "control character");
    }

    @ParameterizedTest
    @CsvSource({
        "tty, 'stdio, none, file=PATH or unix=PATH'",
        "file, file=PATH",
        "'', file=PATH",
        "file=/no/such/x, no folder",
        "unix=/no/such/x, no folder"
    })
    void refusesConsoles(String value, String word) throws IOException {
        options.put("console", value);
        refused("--console", word);
    }

    @Test
    void refusesASocketWhosePathIsTooLong() throws IOException {
        options.put("console", "unix=" + folder.resolve("x".repeat(108)));
        refused("--console", "107");
    }

    @Test
    void refusesASocketThatExists() throws IOException {
        options.put("console", "unix=" + disk);
        refused("--console", "exists already");
    }

    @Test
    void takesOverASocketOnlyIfNobodyListens() throws IOException {
        Path socket = folder.resolve("sock");
        options.put("console", "unix=" + socket);
        try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listener.bind(UnixDomainSocketAddress.of(socket));
            listener.configureBlocking(false);
            refused("--console unix=" + socket, "a process listens there");
            assertNull(listener.accept(), "nobody was sent what it keeps");
        }
        assertTrue(Files.exists(socket));
        assertEquals("unix=" + socket, plan().console());
    }

    @ParameterizedTest
    @ValueSource(strings = {"bundles", "config"})
    void refusesAFolderThatIsAbsent(String option) throws IOException {
        options.put(option, "/no/such");
        refused("--" + option, "/no/such", "no such folder");
    }

    private Path trust() throws IOException {
        Path trust = Files.createDirectories(folder.resolve("trust"));
        Files.setPosixFilePermissions(trust, PosixFilePermissions.fromString("rwx------"));
        Path digests = trust.resolve("digests");
        Files.writeString(digests, "00".repeat(32) + "  card.jar\n");
        Files.setPosixFilePermissions(digests, PosixFilePermissions.fromString("rw-------"));
        return trust;
    }

    @Test
    void takesWhatAdmitsBundles() throws IOException {
        Path trust = trust();
        assertEquals(Optional.empty(), plan().trust());
        options.put("trust", trust.toString());
        assertEquals(Optional.of(trust), plan().trust());
        snapshot();
        assertEquals(Optional.of(trust), plan().trust());
    }

    @Test
    void refusesWhatAdmitsBundlesUnlessAllOfItIsRight() throws IOException {
        options.put("trust", "/no/such");
        refused("--trust /no/such: there is no such folder");
        options.put("trust", "");
        refused("--trust '': give a path");
        Path trust = trust();
        options.put("trust", trust.toString());
        Files.writeString(trust.resolve("vendor.key"), "secret");
        refused("--trust " + trust, "'vendor.key' is neither a certificate");
    }

    @Test
    void refusesADiskThatIsAbsent() throws IOException {
        disks.add("/no/such");
        refused("--disk /no/such", "no such file");
    }

    @Test
    void refusesADiskOfABrokenSize() throws IOException {
        disks.add(file("odd", 1000).toString());
        refused("--disk", "1000 bytes", "truncate -s 1024");
    }

    @Test
    void refusesAnEmptyDiskAndAFolder() throws IOException {
        disks.add(file("empty", 0).toString());
        refused("--disk", "empty");
        disks.set(0, folder.toString());
        refused("--disk", "folder");
    }

    @Test
    void refusesADiskThatIsLocked() throws IOException {
        disks.add(disk.toString());
        try (FileChannel other = FileChannel.open(disk, StandardOpenOption.WRITE);
                var lock = other.lock()) {
            assertTrue(lock.isValid());
            refused("--disk " + disk, "locked by another machine");
        }
        plan();
    }

    /** Holds a shared lock of a file in another process until its input ends. */
    public static final class Reader {
        private Reader() {}

        public static void main(String[] arguments) throws IOException {
            try (FileChannel file =
                            FileChannel.open(Path.of(arguments[0]), StandardOpenOption.READ);
                    var lock = file.lock(0, Long.MAX_VALUE, true)) {
                System.out.println("held " + lock.isShared());
                System.in.transferTo(System.out);
            }
        }
    }

    @Test
    @Timeout(120)
    void sharesADiskWithAMachineThatOnlyReadsIt() throws IOException, InterruptedException {
        Process other =
                new ProcessBuilder(
                                System.getProperty("java.home") + "/bin/java",
                                "-cp",
                                System.getProperty("java.class.path"),
                                Reader.class.getName(),
                                disk.toString())
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        try {
            assertEquals("held true", other.inputReader().readLine());
            disks.add(disk + ",ro");
            plan();
            disks.set(0, disk.toString());
            refused("--disk " + disk, "locked by another machine");
        } finally {
            other.destroyForcibly().waitFor();
        }
    }

    @Test
    void refusesOneImageInTwoSlotsUnlessBothOnlyRead() throws IOException {
        disks.add(disk.toString());
        disks.add(disk + ",ro");
        refused("--disk", "image of --disk " + disk);
        disks.set(0, disk + ",ro");
        assertEquals(2, plan().slots().size());
    }

    @ParameterizedTest
    @CsvSource({
        "'ro=yes', no value",
        "'size=5', unknown",
        "'serial=', serial",
        "'serial=123456789012345678901', 20",
        "'name=a b', letters",
        "'pin=@1.2', symbolic name",
        "'pin=org.acme.disk@[2,,1]', no version is in [2,1]",
        "'ro,ro', twice"
    })
    void refusesWordsAfterADisk(String words, String expected) throws IOException {
        disks.add(disk + "," + words);
        refused("--disk " + disk + "," + words, expected);
    }

    @Test
    void takesAPinForASlotOfAnyKind() throws IOException {
        disks.add(disk + ",pin=org.acme.disk@1.2");
        devices.add("virtio-blk,path=" + file("b", 512) + ",pin=org.acme.disk@[1.2,,2)");
        devices.add("virtio-rng,pin=org.acme.rng");
        assertEquals(
                List.of("org.acme.disk@1.2", "org.acme.disk@[1.2,2)", "org.acme.rng"),
                plan().slots().stream().map(slot -> slot.settings().get("pin")).toList());
    }

    @Test
    void refusesAMalformedPinOfADevice() throws IOException {
        devices.add("virtio-rng,pin=1.2:org");
        refused("--device virtio-rng,pin=1.2:org: 'pin=1.2:org' is wrong");
    }

    @Test
    void refusesAMalformedPinInAFile() throws IOException {
        Path config = Files.createDirectory(folder.resolve("slots"));
        Files.writeString(config.resolve("a.cfg"), "name=a\nkind=virtio-rng\npin=@\n");
        options.put("config", config.toString());
        refused("a.cfg", "'pin=@' is wrong");
    }

    @Test
    void refusesAnUnknownKindAndNamesTheKnown() throws IOException {
        devices.add("virtio-gpu");
        refused("--device virtio-gpu", "virtio-blk, virtio-rng");
    }

    @Test
    void knowsTheKindsOfTheWatchedFolder() throws IOException {
        Path watched = Files.createDirectory(folder.resolve("watched"));
        DeviceKindsTest.bundle(watched.resolve("x.jar"), "org.backplane.device;kind=virtio-gpu");
        options.put("bundles", watched.toString());
        devices.add("virtio-gpu");
        assertEquals("virtio-gpu0", plan().slots().get(0).name());
    }

    @ParameterizedTest
    @CsvSource({
        "path=/no/such, no such file",
        "path=ODD, 1000 bytes",
        "'path=DISK,ro', image of --disk",
        "ro, virtio-blk needs path=FILE",
        "'path=OTHER,ro=yes', give on or off"
    })
    void holdsADiskAmongTheDevicesToTheSame(String words, String expected) throws IOException {
        disks.add(disk.toString());
        String device =
                "virtio-blk,"
                        + words.replace("ODD", file("odd", 1000).toString())
                                .replace("DISK", disk.toString())
                                .replace("OTHER", file("other", 512).toString());
        devices.add(device);
        refused("--device " + device + ": ", expected);
    }

    @Test
    void refusesADeviceWhoseDiskIsLocked() throws IOException {
        devices.add("virtio-blk,ro=off,path=" + disk);
        try (FileChannel other = FileChannel.open(disk, StandardOpenOption.WRITE);
                var lock = other.lock()) {
            assertTrue(lock.isValid());
            refused("--device virtio-blk", "locked by another machine");
        }
        plan();
    }

    @Test
    void showsAValueAsTyped() throws IOException {
        disks.add(",ro");
        refused("--disk ,ro: give a path");
        disks.clear();
        options.put("console", "file=");
        refused("--console file=: give a path");
    }

    @Test
    void saysOneThingOfOneValue() throws IOException {
        options.put("memory", "1K");
        refused("--memory 1K", "at least 48M");
    }

    @Test
    void missesNoKernelThatWasBegun() throws IOException {
        options.remove("kernel");
        Problems problems = new Problems();
        problems.add("--kernel has no value; give --kernel IMAGE");
        assertTrue(read(problems).isEmpty());
        assertEquals(1, problems.count(), () -> "sentences: " + problems.sentences());
    }

    @Test
    void refusesAReservedSetting() throws IOException {
        devices.add("virtio-rng,kind=x");
        refused("--device", "'kind'");
    }

    @Test
    void refusesOneNameTwiceAndNamesBothSources() throws IOException {
        disks.add(disk + ",name=a");
        devices.add("virtio-rng,name=a");
        refused("--device virtio-rng,name=a", "--disk " + disk + ",name=a");
    }

    @Test
    void tellsEverythingAtOnce() throws IOException {
        options.put("kernel", "/no/kernel");
        options.put("initrd", "/no/initrd");
        options.put("memory", "12X");
        options.put("cpus", "0");
        options.put("name", "a/b");
        options.put("console", "x");
        options.put("bundles", "/no/bundles");
        options.put("config", "/no/config");
        options.put("trust", "/no/trust");
        options.put("engine", "qemu");
        options.put("format", "elf");
        options.put("kvm-kind", "soft");
        disks.add("/no/disk");
        devices.add("virtio-gpu");
        Problems problems = new Problems();
        read(problems);
        for (String option :
                List.of(
                        "kernel",
                        "initrd",
                        "memory",
                        "cpus",
                        "name",
                        "console",
                        "bundles",
                        "config",
                        "trust",
                        "engine",
                        "format",
                        "kvm-kind",
                        "disk",
                        "device")) {
            assertEquals(
                    1,
                    problems.sentences().stream()
                            .filter(sentence -> sentence.startsWith("--" + option + " "))
                            .count(),
                    () -> option + " in " + problems.sentences());
        }
    }
}
