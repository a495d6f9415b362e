package org.backplane.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.io.InputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.inject.Inject;
import org.apache.felix.cm.impl.ConfigurationManager;
import org.backplane.itests.PayloadMachine.Setup;
import org.backplane.machine.AddressMap;
import org.backplane.machine.SlotCounters;
import org.backplane.machine.SlotReport;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.CoreOptions;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;

/**
 * Bare programs on /dev/kvm, whatever kind it is: each checks the board, the engine and the devices
 * from inside, and here is the host's part of it.
 */
@RunWith(WithKvm.class)
@ExamReactorStrategy(PerClass.class)
public final class PayloadIT {
    private static final List<String> BUNDLES =
            Stream.concat(
                            Framework.BOARD.stream(),
                            Stream.of(
                                    "hart",
                                    "kvm",
                                    "machine",
                                    "chipset",
                                    "testdev",
                                    "device-virtio-blk"))
                    .toList();
    private static final String NEW_DISK = "1.0.1";
    private static final String NEW_CHIPS = "1.0.1";
    private static final String NEW_TESTDEV = "1.0.1";
    private static final int RINGS = 1000;
    private static final long HOST_KEY = 0x686f7374L;
    private static final long GUEST_KEY = 0x6775657374L;

    @Inject private BundleContext context;

    @Configuration
    public Option[] framework() {
        NewBuild.make("device-virtio-blk", NEW_DISK);
        NewBuild.make("chipset", NEW_CHIPS);
        NewBuild.make("testdev", NEW_TESTDEV);
        return CoreOptions.options(
                Framework.base(),
                Framework.onClassPath(ConfigurationManager.class),
                Framework.project(BUNDLES));
    }

    private String passes(Setup setup) throws Exception {
        try (PayloadMachine machine = setup.start(context)) {
            return machine.passed();
        }
    }

    @Test
    public void multibootEntersWithTheMemoryMap() throws Exception {
        assertTrue(passes(new Setup("processor.elf", "memory=128")).contains("by multiboot"));
    }

    @Test
    public void pvhEntersWithTheMemoryMap() throws Exception {
        assertTrue(passes(new Setup("processor-pvh.elf", "memory=128")).contains("by PVH"));
    }

    @Test
    public void memoryGoesOnAboveTheGap() throws Exception {
        String told = passes(new Setup("processor.elf", "memory=5120").with("memory", 5120L << 20));
        assertTrue(told, told.contains("memory: 0x100000000-0x180000000"));
    }

    @Test
    public void busWalkFindsWhatTheMachineTells() throws Exception {
        Setup setup =
                new Setup("enumerate.elf", "ports=8")
                        .withDisk()
                        .withSlot(Map.of("name", "test0", "kind", "pci-testdev"));
        try (PayloadMachine machine = setup.start(context)) {
            List<String> functions =
                    machine.machine().functions().stream()
                            .map(function -> function.address())
                            .sorted()
                            .toList();
            List<String> found =
                    machine.passed()
                            .lines()
                            .filter(line -> line.matches("[0-9a-f]{2}:[0-9a-f]{2}\\..*"))
                            .map(line -> line.substring(0, "00:00.0".length()))
                            .sorted()
                            .toList();
            assertTrue(found.toString(), found.containsAll(functions));
        }
    }

    @Test
    public void functionsBehindRootPortsWork() throws Exception {
        String port = "2";
        String told = passes(new Setup("enumerate.elf", "ports=8").withDisk(Map.of("port", port)));
        assertTrue(told, told.lines().anyMatch(line -> line.matches("03:00\\.0 1af4:1042 .*")));
        passes(new Setup("vectors.elf", "").withDisk(Map.of("port", port)));
    }

    @Test
    public void barsMove() throws Exception {
        passes(
                new Setup("bars.elf", "membar=1")
                        .withSlot(Map.of("name", "test0", "kind", "pci-testdev", "membar", "1M")));
    }

    @Test
    public void memoryBehindABarIsWhereTheBarIsOverSwapsAndSnapshots() throws Exception {
        Setup setup =
                new Setup("mapped.elf", "")
                        .withSlot(
                                Map.of(
                                        "name",
                                        "test0",
                                        "kind",
                                        "pci-testdev",
                                        "membar",
                                        "1M",
                                        "memory",
                                        "on"));
        Path snapshot = setup.folder().resolve("snapshot");
        try (PayloadMachine machine = setup.start(context)) {
            machine.line("at work");
            List<AddressMap.Memory> mapped = behindBars(machine);
            assertEquals(mapped.toString(), 2, mapped.size());
            assertEquals(0x1000, mapped.get(0).range().size());
            assertEquals(mapped.get(0).range().end() + 0x1000, mapped.get(1).range().base());
            assertEquals(0x10_0000 - 0x2000, mapped.get(1).range().size());
            machine.machine()
                    .swap("test0", NewBuild.path("testdev", NEW_TESTDEV).toString(), false);
            assertEquals(mapped, behindBars(machine));
            machine.machine().pause();
            machine.machine().snapshot(snapshot);
            machine.machine().resume();
            machine.go();
            machine.passed();
            assertEquals(List.of(), behindBars(machine));
        }
        try (PayloadMachine machine = setup.restore(context, snapshot)) {
            machine.go();
            machine.passed();
        }
    }

    private static List<AddressMap.Memory> behindBars(PayloadMachine machine) {
        return machine.machine().map().memory().stream()
                .filter(memory -> memory.kind().equals("DEVICE"))
                .toList();
    }

    @Test
    public void diskReadsAndWritesWhatTheImageHolds() throws Exception {
        Setup setup = new Setup("disk.elf", "sectors=" + PayloadMachine.SECTORS).withDisk();
        ByteBuffer image = image(setup.image());
        for (int sector = 0; sector < 32; sector++) {
            fill(image, HOST_KEY, sector);
        }
        Files.write(setup.image(), image.array());
        passes(setup);
        ByteBuffer after = image(setup.image());
        for (int sector = 32; sector < 64; sector++) {
            assertEquals(expected(GUEST_KEY, sector), actual(after, sector));
        }
        for (int sector = 0; sector < 32; sector++) {
            assertEquals(expected(HOST_KEY, sector), actual(after, sector));
        }
    }

    @Test
    public void messagesArriveAndMasksHoldThem() throws Exception {
        passes(new Setup("vectors.elf", "").withDisk());
    }

    @Test
    public void eventfdsRaiseVectorsAndMasksHoldThem() throws Exception {
        passes(
                new Setup("triggers.elf", "")
                        .withSlot(Map.of("name", "test0", "kind", "pci-testdev", "vectors", "3")));
    }

    @Test
    public void eventfdRaisesAPinAndAnotherTellsOfItsEnd() throws Exception {
        passes(
                new Setup("line.elf", "")
                        .withSlot(Map.of("name", "test0", "kind", "pci-testdev", "line", "on")));
    }

    @Test
    public void doorbellIsNoExitAndMovesWithItsBar() throws Exception {
        assertDoorbellIsNoExit(Map.of());
        assertDoorbellIsNoExit(Map.of("port", "1"));
    }

    private void assertDoorbellIsNoExit(Map<String, String> place) throws Exception {
        try (PayloadMachine machine =
                new Setup("doorbell.elf", "").withDisk(place).start(context)) {
            machine.line("before");
            assertRings(machine, "rung", RINGS, 0);
            machine.go();
            machine.line("moved");
            assertRings(machine, "rung again", RINGS, 0);
            machine.go();
            machine.line("at the old place");
            assertRings(machine, "nobody there", 0, 0);
            machine.go();
            machine.passed();
        }
    }

    private static void assertRings(PayloadMachine machine, String end, long rings, long exits)
            throws Exception {
        SlotCounters before = machine.counters(PayloadMachine.DISK);
        machine.go();
        machine.line(end);
        SlotCounters after = machine.counters(PayloadMachine.DISK);
        while (after.doorbells() - before.doorbells() < rings) {
            // Rings are counted when a worker takes them; one too few is waited for in vain.
            after = machine.counters(PayloadMachine.DISK);
        }
        assertEquals(exits, after.exits() - before.exits());
        assertEquals(rings, after.doorbells() - before.doorbells());
    }

    @Test
    public void haltedProcessorWakes() throws Exception {
        passes(new Setup("halt.elf", ""));
    }

    @Test
    public void secondProcessorStartsAndBothWakeEachOther() throws Exception {
        passes(new Setup("processors.elf", "cpus=2").with("cpus", 2));
        passes(new Setup("processors.elf", "cpus=2 xapic").with("cpus", 2));
    }

    @Test
    public void swapsUnderAccessLoseNoBlock() throws Exception {
        int ring = 64;
        Setup setup = new Setup("swap.elf", "ring=" + ring).withDisk();
        try (PayloadMachine machine = setup.start(context)) {
            machine.line("at ");
            machine.machine()
                    .swap(
                            PayloadMachine.DISK,
                            NewBuild.path("device-virtio-blk", NEW_DISK).toString(),
                            false);
            machine.line("at ");
            machine.machine()
                    .swap(
                            PayloadMachine.DISK,
                            ProjectBundle.named("device-virtio-blk").jar().toString(),
                            false);
            machine.line("at ");
            Bundle now = context.getBundle(disk(machine).bundleId());
            try (InputStream jar =
                    Files.newInputStream(NewBuild.path("device-virtio-blk", NEW_DISK))) {
                now.update(jar);
            }
            machine.line("at ");
            assertEquals(NEW_DISK, disk(machine).version());
            machine.go();
            long blocks = Long.parseLong(machine.line("blocks: "));
            machine.passed();
            ByteBuffer image = image(setup.image());
            for (long block = blocks - ring; block < blocks; block++) {
                assertEquals(
                        expected(GUEST_KEY + block, block % ring),
                        actual(image, (int) (block % ring)));
            }
            assertTrue("blocks: " + blocks, blocks > ring);
        }
    }

    private static SlotReport disk(PayloadMachine machine) {
        return machine.machine().slots().stream()
                .filter(slot -> slot.name().equals(PayloadMachine.DISK))
                .findFirst()
                .orElseThrow();
    }

    @Test
    public void multibootContractOfKvmUnitTestsHolds() throws Exception {
        Setup setup =
                new Setup("contract.elf", "memory=128 answer=42 status=21")
                        .withModule(PayloadMachine.ENVIRONMENT);
        try (PayloadMachine machine = setup.start(context)) {
            assertEquals(21 << 1 | 1, machine.end());
        }
    }

    @Test
    public void flatImageRunsInRealMode() throws Exception {
        String told = passes(new Setup("flat.bin", "").with("format", "flat"));
        assertTrue(told, told.contains("entered at 1000:0000\nttttt"));
    }

    @Test
    public void pauseStopsTheGuestAndItsClocks() throws Exception {
        try (PayloadMachine machine = new Setup("clock.elf", "").start(context)) {
            machine.line("tick ");
            machine.machine().pause();
            long exits = machine.machine().counters().vcpus().get(0).exits();
            var time = machine.machine().report().guestTime();
            assertEquals(time, machine.machine().report().guestTime());
            assertEquals(exits, machine.machine().counters().vcpus().get(0).exits());
            machine.machine().resume();
            machine.line("tick ");
            machine.go();
            machine.passed();
        }
    }

    @Test
    public void restoredPayloadGoesOnWhereTheSnapshotWas() throws Exception {
        Setup setup = new Setup("clock.elf", "").with("memory", 16L << 20);
        Path snapshot = setup.folder().resolve("snapshot");
        try (PayloadMachine machine = setup.start(context)) {
            machine.line("tick 2");
            machine.machine().pause();
            machine.machine().snapshot(snapshot);
        }
        try (PayloadMachine machine = setup.restore(context, snapshot)) {
            int next = Integer.parseInt(machine.line("tick "));
            assertTrue("tick " + next, next >= 3);
            assertEquals(next + 1, Integer.parseInt(machine.line("tick ")));
            machine.go();
            machine.passed();
        }
    }

    @Test
    public void resetBootsAgainInTheSameProcess() throws Exception {
        try (PayloadMachine machine = new Setup("reboot.elf", "").withDisk().start(context)) {
            assertEquals("1", machine.line("boot "));
            assertEquals("2", machine.line("boot "));
            machine.passed();
            assertEquals(2, machine.last().boots());
        }
    }

    /** Of ISA's interrupts each is an edge: one that is lost would be the last. */
    @Test
    public void chipsLoseNoByteAndNoInterruptOverSwaps() throws Exception {
        int part = 4096;
        List<String> jars =
                List.of(
                        NewBuild.path("chipset", NEW_CHIPS).toString(),
                        ProjectBundle.named("chipset").jar().toString());
        byte[] sequence = new byte[part * (2 * jars.size() + 1)];
        for (int i = 0; i < sequence.length; i++) {
            sequence[i] = (byte) (i % 251);
        }
        try (PayloadMachine machine =
                new Setup("chips.elf", "bytes=" + sequence.length).start(context)) {
            machine.line("waiting");
            int typed = 0;
            for (String jar : jars) {
                for (String slot : List.of("uart0", "rtc0")) {
                    machine.type(Arrays.copyOfRange(sequence, typed, typed += part));
                    machine.machine().swap(slot, jar, false);
                }
            }
            machine.type(Arrays.copyOfRange(sequence, typed, sequence.length));
            machine.passed();
        }
    }

    @Test
    public void powerButtonLeadsToS5() throws Exception {
        try (PayloadMachine machine = new Setup("button.elf", "").start(context)) {
            machine.line("waiting");
            assertFalse(machine.fixture().end().isDone());
            assertTrue(machine.machine().powerButton());
            assertEquals(0, machine.end());
        }
    }

    /** Both engines stand on these jars; the distribution has one of each. */
    @Test
    public void bundlesAreThoseOfTheDistribution() throws Exception {
        List<String> distributed =
                Files.readAllLines(
                        ProjectBundle.root()
                                .resolve("launcher/target/distribution/lib/bundles.sha256"));
        for (String name : BUNDLES) {
            Path jar = ProjectBundle.named(name).jar();
            Bundle installed = context.getBundle(jar.toUri().toString());
            try (InputStream content = URI.create(installed.getLocation()).toURL().openStream()) {
                byte[] digest = MessageDigest.getInstance("SHA-256").digest(content.readAllBytes());
                String line = HexFormat.of().formatHex(digest) + "  " + jar.getFileName();
                assertTrue(line, distributed.contains(line));
            }
            assertEquals(
                    name,
                    1,
                    distributed.stream()
                            .filter(line -> line.endsWith("  " + jar.getFileName()))
                            .count());
        }
    }

    /** Of a sector, as {@code pattern.h} has it. */
    private static List<Long> expected(long key, long sector) {
        return Stream.iterate(0L, word -> word + 1)
                .limit(64)
                .map(word -> (key << 24 ^ (sector * 64 + word)) * 0x9e3779b97f4a7c15L)
                .collect(Collectors.toList());
    }

    private static List<Long> actual(ByteBuffer image, int sector) {
        return Stream.iterate(0, word -> word + 1)
                .limit(64)
                .map(word -> image.getLong(sector * PayloadMachine.SECTOR + 8 * word))
                .collect(Collectors.toList());
    }

    private static void fill(ByteBuffer image, long key, int sector) {
        List<Long> words = expected(key, sector);
        for (int word = 0; word < words.size(); word++) {
            image.putLong(sector * PayloadMachine.SECTOR + 8 * word, words.get(word));
        }
    }

    private static ByteBuffer image(Path file) throws Exception {
        return ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    }
}
