package org.backplane.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Space;
import org.backplane.linux.LinuxException;
import org.backplane.linux.Memfd;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Several processors in the same registers, others in the BARs, and an operator who unplugs. */
@Timeout(120)
class RacingProcessorsTest {
    private static final int SIZE = 0x1000;
    private static final int WRITES = 4_000;
    private static final AddressRange LOW = new AddressRange(0x4000_0000, 0x8000);

    private final Rig rig =
            new Rig(new AddressRange(0x1000, 0x100), LOW, new AddressRange(1L << 36, 1L << 20));
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final AtomicBoolean done = new AtomicBoolean();

    /** Behind the functions' BARs, a page each; pages of the host are assumed to be no larger. */
    private Memfd bytes;

    @BeforeEach
    void open() throws LinuxException {
        bytes = Memfd.create("bars", 64 * SIZE);
    }

    @AfterEach
    void stop() {
        bytes.close();
        done.set(true);
        threads.shutdown();
    }

    /** Answers with its number and the offset; finds out if it is told of others' addresses. */
    private static final class Card implements BarHandler {
        private final int number;
        private final Map<Integer, Long> announced;
        private final AtomicInteger overlaps;

        Card(int number, Map<Integer, Long> announced, AtomicInteger overlaps) {
            this.number = number;
            this.announced = announced;
            this.overlaps = overlaps;
        }

        @Override
        public long read(int bar, long offset, int width) {
            return (long) number << 32 | offset;
        }

        @Override
        public void write(int bar, long offset, int width, long value) {}

        @Override
        public void moved(int bar, long base) {
            synchronized (announced) {
                if (base < 0) {
                    announced.remove(number);
                } else {
                    overlaps.addAndGet(announced.containsValue(base) ? 1 : 0);
                    announced.put(number, base);
                }
            }
        }
    }

    @Test
    void registersClaimsAndHandlersAgreeInTheEnd() throws Exception {
        Map<Integer, Long> announced = new HashMap<>();
        AtomicInteger overlaps = new AtomicInteger();
        List<PciFunction> functions = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            Card card = new Card(i, announced, overlaps);
            PciFunction function =
                    rig.bridge.plug("slot" + i, -1, Rig.shape(Rig.memory(0, SIZE)), card);
            function.place();
            rig.command(function, 2);
            functions.add(function);
            PciWires wires = function.deviceWires();
            function.connect(wires);
            wires.map(0, 0, bytes, i * SIZE, SIZE);
        }
        List<Future<?>> writers = new ArrayList<>();
        for (int seed = 1; seed <= 2; seed++) {
            Random random = new Random(seed);
            writers.add(threads.submit(() -> writeAtRandom(functions, random)));
        }
        Future<?> reader = threads.submit(this::readEverything);
        Future<?> operator = threads.submit(() -> plugAndUnplug(announced, overlaps));
        for (Future<?> writer : writers) {
            writer.get();
        }
        operator.get();
        done.set(true);
        reader.get();

        assertEquals(0, overlaps.get());
        Map<Integer, Long> decoding = new HashMap<>();
        for (int i = 0; i < functions.size(); i++) {
            PciFunction.BarState bar = Rig.bar(functions.get(i), 0);
            if (bar.decoding()) {
                decoding.put(i, bar.base());
                assertEquals(bar.register(), bar.base());
            }
        }
        assertEquals(decoding, announced);
        Map<Integer, Long> mapped = new HashMap<>();
        rig.memory.mapped.forEach((base, found) -> mapped.put((int) found.offset() / SIZE, base));
        assertEquals(decoding, mapped);
        functions.forEach(PciFunction::close);
        assertTrue(rig.allFree());
        assertEquals(Map.of(), announced);
        assertEquals(Map.of(), rig.memory.mapped);
    }

    private void writeAtRandom(List<PciFunction> functions, Random random) {
        for (int i = 0; i < WRITES; i++) {
            PciFunction function = functions.get(random.nextInt(functions.size()));
            switch (random.nextInt(8)) {
                case 0 -> rig.command(function, random.nextInt(8));
                case 1 -> rig.writeBar(function, 0, 0xffff_ffffL);
                default -> rig.writeBar(function, 0, LOW.base() + random.nextInt(8) * SIZE);
            }
            rig.command(function, 2);
        }
    }

    private void readEverything() {
        for (long at = 0; !done.get(); at = (at + 0xffc) % LOW.size() & ~7) {
            long value = rig.load(Space.MMIO, LOW.base() + at, 8);
            if (value != -1) {
                assertEquals(at % SIZE, value & 0xffff_ffffL);
            }
        }
    }

    private Void plugAndUnplug(Map<Integer, Long> announced, AtomicInteger overlaps)
            throws Exception {
        for (int i = 0; i < WRITES / 8; i++) {
            Card card = new Card(100 + i, announced, overlaps);
            try (PciFunction function =
                    rig.bridge.plug("hot", -1, Rig.shape(Rig.memory(0, SIZE)), card)) {
                function.place();
                rig.command(function, 2);
                rig.writeBar(function, 0, LOW.base());
            }
        }
        return null;
    }

    @Test
    void noRequestIsLostWhileItsVectorIsMaskedAndUnmasked() throws Exception {
        PciFunction function =
                rig.running(
                        "a",
                        Rig.shape(
                                Optional.of(new PciShape.Msix(2, 0, 0, 0, 0x800)),
                                Rig.memory(0, SIZE)));
        rig.write(function, 0x42, 2, 0x8000);
        Callable<Void> guest =
                () -> {
                    for (int i = 0; !done.get(); i++) {
                        rig.bus.write(Space.MMIO, LOW.base() + 12, 4, i & 1);
                        rig.write(function, 0x42, 2, (i & 2) == 0 ? 0x8000 : 0xc000);
                        rig.command(function, (i & 4) == 0 ? 6 : 2);
                    }
                    return null;
                };
        Future<Void> masking = threads.submit(guest);
        for (int i = 0; i < WRITES; i++) {
            // As a driver does: the next request comes when this one's message has arrived.
            int before = rig.messages.size();
            function.wires().signal(0);
            while (rig.messages.size() == before) {
                Thread.onSpinWait();
            }
        }
        done.set(true);
        masking.get();
        assertEquals(WRITES, rig.messages.size());
        assertEquals(0, rig.load(Space.MMIO, LOW.base() + 0x800, 8));
    }

    @Test
    void thePinEndsAtTheLevelOfTheLastWord() throws Exception {
        PciFunction function = rig.running("a", Rig.shape());
        Callable<Void> guest =
                () -> {
                    for (int i = 0; i < WRITES; i++) {
                        rig.command(function, (i & 1) == 0 ? 0x400 : 0);
                    }
                    return null;
                };
        Future<Void> disabling = threads.submit(guest);
        for (int i = 0; i < WRITES; i++) {
            function.wires().interrupt((i & 1) == 0);
        }
        function.wires().interrupt(true);
        disabling.get();
        assertEquals("1A high", rig.pins.get(rig.pins.size() - 1));
        for (int i = 0; i < rig.pins.size(); i++) {
            assertEquals(i % 2 == 0 ? "1A high" : "1A low", rig.pins.get(i));
        }
    }
}
