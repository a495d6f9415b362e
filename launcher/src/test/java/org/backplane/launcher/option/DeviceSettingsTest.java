package org.backplane.launcher.option;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.backplane.launcher.kernel.KernelFile;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Settings of devices are judged by what the bundles say of them, together with everything else.
 */
class DeviceSettingsTest {
    static final String VIRTIO_BLK =
            "org.backplane.device;kind=virtio-blk;settings:List<String>="
                    + "\"path!=file,ro=flag,serial=text(20),queues=1..16,discard=flag\"";
    private static final String CHIPS =
            "org.backplane.device;kind=ns16550a;settings:List<String>=\"base=address,console=console\","
                    + "org.backplane.device;kind=power;settings:List<String>=\"base=address\","
                    + "org.backplane.device;kind=untold";

    @TempDir Path folder;

    private final List<String> disks = new ArrayList<>();
    private final List<String> devices = new ArrayList<>();
    private Optional<String> memory = Optional.empty();
    private Optional<String> config = Optional.empty();
    private Path disk;

    @BeforeEach
    void aHostWithAKernelAndBundles() throws IOException {
        Files.createDirectories(folder.resolve("proc"));
        Files.writeString(folder.resolve("proc/meminfo"), "MemAvailable:    2097152 kB\n");
        Files.createDirectories(folder.resolve("devices"));
        DeviceKindsTest.bundle(folder.resolve("devices/blk.jar"), VIRTIO_BLK);
        DeviceKindsTest.bundle(folder.resolve("devices/chips.jar"), CHIPS);
        disk = disk("disk.img");
    }

    private Path disk(String name) throws IOException {
        return Files.write(folder.resolve(name), new byte[1 << 16]);
    }

    private List<String> sentences() throws IOException {
        Problems problems = new Problems();
        Optional<Plan> plan =
                new PlanReader(
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
                                        memory,
                                        Optional.empty(),
                                        disks,
                                        List.of(),
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
        assertEquals(problems.isEmpty(), plan.isPresent());
        return problems.sentences();
    }

    /** Files of {@code --config}. */
    private Path configured(String name, String... lines) throws IOException {
        Path slots = Files.createDirectories(folder.resolve("slots"));
        config = Optional.of(slots.toString());
        return Files.write(slots.resolve(name), List.of(lines));
    }

    @Test
    void tellsASettingThatThereIsNotTogetherWithOtherOptions() throws IOException {
        memory = Optional.of("1M");
        devices.add("virtio-blk,path=" + disk + ",foo=1");
        devices.add("nokind");
        List<String> sentences = sentences();
        assertEquals(3, sentences.size(), sentences::toString);
        assertTrue(
                sentences.get(0).startsWith("--memory 1M: it is too small"), sentences::toString);
        assertEquals(
                "--device virtio-blk,path="
                        + disk
                        + ",foo=1: virtio-blk has no setting 'foo' (value '1'); there are: path,"
                        + " ro, serial, queues, discard",
                sentences.get(1));
        assertEquals(
                "--device nokind: there is no kind 'nokind'; the kinds are: ns16550a, power,"
                        + " untold, virtio-blk",
                sentences.get(2));
    }

    @Test
    void tellsEverySettingThatIsWrong() throws IOException {
        String blk = "virtio-blk,ro=maybe,serial=a b,queues=17,discard,colour=red";
        String uart = "ns16550a,base=here,console=tty,speed=9600";
        String power = "power,base=-1,console=none";
        devices.addAll(List.of(blk, uart, power));
        assertEquals(
                List.of(
                        "--device "
                                + blk
                                + ": virtio-blk has no setting 'colour' (value 'red');"
                                + " there are: path, ro, serial, queues, discard",
                        "--device " + blk + ": virtio-blk needs path=FILE",
                        "--device " + blk + ": 'ro=maybe' is wrong: give on or off",
                        "--device "
                                + blk
                                + ": 'serial=a b' is wrong: give 1 to 20 printable ASCII"
                                + " characters without spaces",
                        "--device " + blk + ": 'queues=17' is wrong: give a number from 1 to 16",
                        "--device "
                                + uart
                                + ": ns16550a has no setting 'speed' (value '9600');"
                                + " there are: base, console",
                        "--device "
                                + uart
                                + ": 'base=here' is wrong: give a hexadecimal address"
                                + " such as 0x10000000",
                        "--device "
                                + uart
                                + ": 'console=tty' is wrong: give stdio, none, file=PATH"
                                + " or unix=PATH",
                        "--device "
                                + power
                                + ": power has no setting 'console' (value 'none');"
                                + " there are: base",
                        "--device "
                                + power
                                + ": 'base=-1' is wrong: give a hexadecimal address"
                                + " such as 0x10000000"),
                sentences());
    }

    @Test
    void takesEverySettingThatIsRight() throws IOException {
        devices.add("virtio-blk,ro,serial=S-1,queues=16,discard=off,path=" + disk);
        devices.add("ns16550a,base=0x10000100,console=file=" + folder.resolve("out"));
        devices.add("power");
        assertEquals(List.of(), sentences());
    }

    @Test
    void leavesSettingsThatABundleDoesNotDescribeToItsDevice() throws IOException {
        devices.add("untold,foo=1");
        assertEquals(List.of(), sentences());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "123456789012345678901"})
    void holdsADiskToTheSame(String serial) throws IOException {
        disks.add(disk + ",serial=" + serial);
        assertEquals(
                List.of(
                        "--disk "
                                + disk
                                + ",serial="
                                + serial
                                + ": 'serial="
                                + serial
                                + "' is wrong: give 1 to 20 printable ASCII characters without"
                                + " spaces"),
                sentences());
    }

    @Test
    void takesFilesThatAskForASlot() throws IOException {
        disks.add(disk.toString());
        configured("a.cfg", "name=a", "kind=virtio-blk", "path=" + disk("other.img"), "ro=on ");
        configured("b.cfg", "name=b", "kind=still-to-come", "foo=1");
        configured("notes.txt", "not a slot");
        assertEquals(List.of(), sentences());
    }

    @Test
    void tellsEveryFileThatIsWrong() throws IOException {
        memory = Optional.of("1X");
        disks.add(disk + ",name=a");
        Path taken = configured("a.cfg", "name=a", "kind=power");
        Path same = configured("b.cfg", "name=b", "kind=virtio-blk", "path=" + disk, "foo=1");
        Path nameless = configured("c.cfg", "kind=power");
        Path odd = configured("d.cfg", "name=a/b", "kind=power", "base=\\u12");
        List<String> sentences = sentences();
        assertEquals(6, sentences.size(), sentences::toString);
        assertTrue(sentences.get(0).startsWith("--memory 1X"), sentences::toString);
        assertEquals(
                List.of(
                        "--config "
                                + taken
                                + ": the name 'a' is taken by --disk "
                                + disk
                                + ",name=a; give another with name=",
                        "--config "
                                + same
                                + ": virtio-blk has no setting 'foo' (value '1'); there are: path,"
                                + " ro, serial, queues, discard",
                        "--config "
                                + same
                                + ": this is the image of --disk "
                                + disk
                                + ",name=a too; give another, or ,ro to both",
                        "--config "
                                + nameless
                                + ": a slot needs a line 'name=..' and a line 'kind=..'"),
                sentences.subList(1, 5));
        assertTrue(
                sentences.get(5).startsWith("--config " + odd + ": it holds no lines of"),
                sentences::toString);
    }

    @ParameterizedTest
    @ValueSource(strings = {"on", "off"})
    void triesTheLockOfADiskInAFile(String readOnly) throws IOException {
        configured("a.cfg", "name=a", "kind=virtio-blk", "path=" + disk, "ro=" + readOnly);
        try (FileChannel other =
                        FileChannel.open(disk, StandardOpenOption.READ, StandardOpenOption.WRITE);
                var lock = other.lock(0, Long.MAX_VALUE, false)) {
            assertTrue(lock.isValid());
            assertTrue(sentences().get(0).contains("locked by another machine"));
        }
        assertEquals(List.of(), sentences());
    }
}
