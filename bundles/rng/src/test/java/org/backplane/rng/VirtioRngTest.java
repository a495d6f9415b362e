package org.backplane.rng;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.backplane.linux.OpenFlag;
import org.backplane.testkit.DriverRing.Buffer;
import org.backplane.testkit.GoldenState;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VirtioRngTest {
    private static final long SECOND = 1_000_000_000;
    private static final String GOLDEN = "virtio-rng-v1.properties";

    @TempDir Path folder;
    private Path source;

    /** What a source of the test's own reads: 1, 2, 3, ... */
    @BeforeEach
    void makeSource() throws Exception {
        source = Files.write(folder.resolve("source"), counting(0, 6000));
    }

    private static byte[] counting(int from, int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (from + i + 1);
        }
        return bytes;
    }

    @Test
    void fillsBuffersFromTheHostsGeneratorByDefault() throws Exception {
        try (Entropy rng = new Entropy().plug()) {
            long first = rng.offer(64);
            long second = rng.offer(64);
            rng.device.work(0);
            assertEquals(List.of(64, 64), rng.answers());
            byte[] bytes = rng.memory.read(first, 64);
            assertFalse(Arrays.equals(new byte[64], bytes));
            assertFalse(Arrays.equals(bytes, rng.memory.read(second, 64)));
            assertEquals(1, rng.interrupts);
        }
    }

    @Test
    void givesEveryByteOfTheSourceOnceAndInOrder() throws Exception {
        try (Entropy rng = new Entropy().from(source, OpenFlag.READ).plug()) {
            long first = rng.offer(100);
            long second = rng.offer(5000);
            long third = rng.offer(100);
            rng.device.work(0);
            // Fewer bytes than there is room for are an answer (section 5.4.6).
            assertEquals(List.of(100, 4096, 100), rng.answers());
            assertArrayEquals(counting(0, 100), rng.memory.read(first, 100));
            assertArrayEquals(counting(100, 4096), rng.memory.read(second, 4096));
            assertEquals(0, rng.memory.getByte(second + 4096));
            assertArrayEquals(counting(4196, 100), rng.memory.read(third, 100));
        }
    }

    @Test
    void fillsBuffersOfManyPieces() throws Exception {
        try (Entropy rng = new Entropy().from(source, OpenFlag.READ).plug()) {
            long address = rng.memory.allocate(30, 1);
            rng.ring.add(Buffer.writable(address, 10), Buffer.writable(address + 10, 20));
            rng.ring.publish();
            rng.device.work(0);
            assertEquals(List.of(30), rng.answers());
            assertArrayEquals(counting(0, 30), rng.memory.read(address, 30));
        }
    }

    @Test
    void countsABufferThatItMayNotWriteAndGoesOn() throws Exception {
        try (Entropy rng = new Entropy().plug()) {
            long readable = rng.memory.allocate(16, 1);
            rng.ring.add(Buffer.readable(readable, 16));
            rng.offer(16);
            rng.device.work(0);
            assertEquals(List.of(0, 16), rng.answers());
            assertArrayEquals(new byte[16], rng.memory.read(readable, 16));
        }
    }

    @Test
    void aSourceThatFailsCostsTheAnswerAndNotTheDevice() throws Exception {
        try (Entropy rng = new Entropy().from(source, OpenFlag.WRITE).plug()) {
            rng.offer(8);
            rng.device.work(0);
            rng.offer(8);
            rng.device.work(0);
            assertEquals(List.of(0, 0), rng.answers());
            assertEquals(0, rng.port.queue().outstanding());
        }
    }

    @Test
    void givesNoMoreThanTheRateInASecond() throws Exception {
        try (Entropy rng = new Entropy("rate=1000").plug()) {
            for (int i = 0; i < 3; i++) {
                rng.offer(600);
            }
            rng.device.work(0);
            assertEquals(List.of(600, 400), rng.answers());
            rng.slot.advanceTo(SECOND / 1000 * 63);
            assertEquals(List.of(), rng.answers());
            rng.slot.advanceTo(SECOND / 1000 * 64);
            assertEquals(List.of(64), rng.answers());
            int given = 0;
            for (int tenth = 1; tenth <= 50; tenth++) {
                rng.offer(4096);
                rng.device.work(0);
                rng.slot.advanceTo(SECOND / 10 * tenth + SECOND / 1000 * 64);
                given += rng.answers().stream().mapToInt(Integer::intValue).sum();
            }
            assertTrue(given <= 5000 && given > 4900, "bytes in five seconds: " + given);
        }
    }

    @Test
    void aGuestGetsNoMoreByResettingTheDevice() throws Exception {
        try (Entropy rng = new Entropy("rate=100").plug()) {
            rng.offer(100);
            rng.device.work(0);
            rng.device.reset();
            rng.device.activate(0, List.of(rng.port.queue()));
            rng.offer(100);
            rng.device.work(0);
            assertEquals(List.of(100), rng.answers());
        }
    }

    @Test
    void takesNothingWhileItIsQuiesced() throws Exception {
        try (Entropy rng = new Entropy().plug()) {
            rng.device.quiesce();
            rng.offer(8);
            rng.device.work(0);
            assertTrue(rng.device.idle());
            assertEquals(List.of(), rng.answers());
            rng.device.resume();
            rng.device.work(0);
            assertEquals(List.of(8), rng.answers());
        }
    }

    @Test
    void theNextVersionKeepsSourceAndAllowance() throws Exception {
        try (Entropy rng = new Entropy("rate=1000").from(source, OpenFlag.READ).plug()) {
            rng.offer(900);
            rng.device.work(0);
            SavedState state = saveable(rng.device).saver().save();
            rng.device.close();
            rng.slot.unplugDevice();
            rng.device = (VirtioRng) new VirtioRngFactory().create(rng.slot);
            saveable(rng.device).restorer().restore(state);
            rng.device.start();
            rng.device.activate(0, List.of(rng.port.queue()));
            rng.offer(900);
            rng.device.work(0);
            assertEquals(List.of(900, 100), rng.answers());
            assertEquals(List.of("source"), rng.slot.keptNames());
        }
    }

    private static SaveSupport.Saveable saveable(VirtioRng device) {
        return (SaveSupport.Saveable) device.saveSupport();
    }

    @Test
    void savesWhatTheGoldenFileHolds() throws Exception {
        GoldenState.requireSame(VirtioRngTest.class, GOLDEN, new RngState(600).saved());
        SavedState golden = GoldenState.read(VirtioRngTest.class, GOLDEN);
        assertEquals(new RngState(600), RngState.of(golden, 1000));
        assertThrows(DeviceException.class, () -> RngState.of(golden, 599));
    }

    @Test
    void refusesSettingsWithASentence() throws Exception {
        refuses("Slot 'rng0': rate=0 is no number of bytes from 1 to 1000000000.", "rate=0");
        refuses(
                "Slot 'rng0': virtio-rng has no setting 'speed' (value '1'); there are: rate, transitional.",
                "speed=1");
    }

    private static void refuses(String sentence, String setting) throws Exception {
        try (Entropy rng = new Entropy(setting)) {
            assertEquals(sentence, assertThrows(DeviceException.class, rng::plug).getMessage());
        }
    }
}
