package org.backplane.virtio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.backplane.testkit.DriverRing;
import org.backplane.testkit.LegacyVirtioDriver;
import org.backplane.testkit.LegacyVirtioDriver.Register;

/** Random accesses through both interfaces of a transitional device. */
class LegacyFuzzTest {
    private static final int[] WIDTHS = {1, 2, 4};

    @Property(tries = 300)
    void neverThrowsWhateverTheGuestDoes(@ForAll long seed) throws Exception {
        Random random = new Random(seed);
        try (FunctionRig rig = new FunctionRig(FunctionRig.TRANSITIONAL)) {
            List<DriverRing> rings = rings(rig);
            List<DescriptorChain> out = new ArrayList<>();
            List<SplitQueue> of = new ArrayList<>();
            for (int step = 0; step < 300; step++) {
                switch (random.nextInt(4)) {
                    case 0 -> FunctionFuzzTest.guest(rig, random);
                    case 1 -> FunctionFuzzTest.slot(rig, random, out, of);
                    default -> legacyGuest(rig, rings, random);
                }
                if (random.nextInt(20) == 0) {
                    var state = rig.function.save();
                    rig.function.reset();
                    out.clear();
                    of.clear();
                    rig.function.restore(state);
                }
            }
            assertDriversResetLeavesNothing(rig);
            rig.function.reset();
            rig.bringUp();
            assertTrue(rig.function.active(), "a reset helps, whatever there was before");
        }
    }

    /** A processor on each interface and the slot at once. */
    @Property(tries = 30)
    void neverThrowsWhateverSeveralProcessorsDoAtOnce(@ForAll long seed) throws Exception {
        try (FunctionRig rig = new FunctionRig(FunctionRig.TRANSITIONAL)) {
            List<DriverRing> rings = rings(rig);
            AtomicReference<Throwable> thrown = new AtomicReference<>();
            Random first = new Random(seed);
            Random second = new Random(seed + 1);
            Random third = new Random(seed + 2);
            List<DescriptorChain> out = new ArrayList<>();
            List<SplitQueue> of = new ArrayList<>();
            for (int round = 0; round < 8; round++) {
                List<Thread> threads =
                        List.of(
                                FunctionFuzzTest.repeating(
                                        500, thrown, () -> FunctionFuzzTest.guest(rig, first)),
                                FunctionFuzzTest.repeating(
                                        500, thrown, () -> legacyGuest(rig, rings, second)),
                                FunctionFuzzTest.repeating(
                                        500,
                                        thrown,
                                        () -> FunctionFuzzTest.slot(rig, third, out, of)));
                threads.forEach(Thread::start);
                for (Thread thread : threads) {
                    thread.join();
                }
                assertNull(thrown.get());
                // What they leave is a state that there can be: refused otherwise.
                var state = rig.function.save();
                rig.function.reset();
                out.clear();
                of.clear();
                rig.function.restore(state);
            }
            assertDriversResetLeavesNothing(rig);
        }
    }

    /** BARs go on decoding: what is bound then is the driver's, not the machine's, to end. */
    private static void assertDriversResetLeavesNothing(FunctionRig rig) {
        rig.inWait = rig.function::resetDone;
        LegacyVirtioDriver driver = rig.legacyDriver();
        driver.reset();
        assertEquals(0, driver.status());
        assertEquals(Map.of(), rig.bound);
        assertTrue(rig.memory.guestMemory().pinned().isEmpty());
    }

    private static List<DriverRing> rings(FunctionRig rig) {
        return FunctionRig.TRANSITIONAL.queueSizes().stream()
                .map(size -> LegacyVirtioDriver.ring(rig.memory, size, true))
                .toList();
    }

    private static void legacyGuest(FunctionRig rig, List<DriverRing> rings, Random random) {
        LegacyVirtioDriver driver = rig.legacyDriver();
        int width = WIDTHS[random.nextInt(3)];
        Register register = Register.values()[random.nextInt(Register.values().length)];
        switch (random.nextInt(9)) {
            case 0 -> driver.read(random.nextInt(64), width);
            case 1 -> driver.write(random.nextInt(64) & -width, width, random.nextInt());
            case 2 -> driver.get(register);
            case 3 ->
                    driver.set(
                            register,
                            random.nextInt(3) == 0 ? random.nextInt() : random.nextInt(9));
            case 4 -> driver.negotiate(random.nextInt());
            case 5 -> driver.enableQueue(random.nextInt(3), rings.get(random.nextInt(2)));
            case 6 -> driver.ready();
            case 7 -> driver.ring(random.nextInt(3));
            default -> {
                DriverRing ring = rings.get(random.nextInt(2));
                ring.pokeDescriptor(
                        random.nextInt(ring.size()),
                        ring.descriptors(),
                        random.nextInt(4096),
                        random.nextInt(4),
                        random.nextInt(ring.size()));
                ring.offer(random.nextInt(ring.size()));
            }
        }
    }
}
