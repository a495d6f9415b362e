package org.backplane.virtio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.testkit.DamagedState;
import org.backplane.testkit.GoldenState;
import org.backplane.testkit.TestMemory;

/** Saved states with random values, over guest memory with random content. */
class StateFuzzTest {
    /** Whatever numbers a state holds, it is refused or taken; and what was taken works on. */
    @Property(tries = 300)
    void takesOrRefusesAnyState(@ForAll long seed) throws Exception {
        Random random = new Random(seed);
        try (FunctionRig rig = new FunctionRig()) {
            for (int i = 0; i < 12; i++) {
                TestMemory memory = rig.memory;
                memory.write(TestMemory.BASE + random.nextInt(0x1000), bytes(random, 64));
                SavedState golden =
                        GoldenState.read(VirtioPciStateTest.class, VirtioPciStateTest.GOLDEN);
                SavedState state = scrambled(golden, random);
                try {
                    rig.function.restore(state);
                } catch (DeviceException refused) {
                    assertEquals(0, rig.function.status());
                }
                for (SplitQueue queue : rig.function.queues()) {
                    if (queue != null) {
                        for (DescriptorChain chain = queue.poll();
                                chain != null;
                                chain = queue.poll()) {
                            queue.complete(chain, 0);
                        }
                        queue.interrupt();
                    }
                }
                assertNotNull(rig.function.save());
                rig.function.reset();
            }
            assertTrue(rig.memory.guestMemory().pinned().isEmpty());
        }
    }

    @Example
    void refusesDamageOrTakesItAsItIs() throws Exception {
        for (String golden :
                List.of(
                        VirtioPciStateTest.GOLDEN,
                        VirtioPciStateTest.PRESENTING,
                        VirtioPciStateTest.RESETTING)) {
            damage(GoldenState.read(VirtioPciStateTest.class, golden));
        }
    }

    /**
     * Every change alone. What is taken is taken as it is, unless the guest's rings say otherwise,
     * which counts as its mistake.
     */
    private static void damage(SavedState golden) throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            VirtioPciStateTest.inTheMidst(rig);
            rig.function.reset();
            int taken = 0;
            for (DamagedState damaged : DamagedState.of(golden)) {
                long mistakes = rig.function.guestErrors();
                try {
                    rig.function.restore(damaged.state());
                } catch (DeviceException refused) {
                    assertTrue(
                            refused.getMessage().matches("The state (of|is of) '.*"),
                            refused::getMessage);
                    assertEquals(0, rig.function.status(), damaged::what);
                    continue;
                }
                taken++;
                boolean ringsHold = rig.function.guestErrors() == mistakes;
                if (ringsHold && !damaged.missing()) {
                    assertEquals(
                            GoldenState.write(ours(damaged.state())),
                            GoldenState.write(ours(rig.function.save())),
                            damaged::what);
                }
                rig.function.reset();
            }
            assertTrue(taken > 0);
        }
    }

    /** Without the PCI half, whose own tests say what it does with damage. */
    private static SavedState ours(SavedState state) {
        return DamagedState.without(state, "pci");
    }

    private static byte[] bytes(Random random, int count) {
        byte[] bytes = new byte[count];
        random.nextBytes(bytes);
        return bytes;
    }

    private static SavedState scrambled(SavedState state, Random random) {
        SavedState.Builder copy = SavedState.of(state.schema(), state.version());
        state.numbers()
                .forEach(
                        (name, value) -> {
                            switch (random.nextInt(24)) {
                                case 0 -> copy.number(name, random.nextLong());
                                case 1 -> copy.number(name, random.nextInt(0x1_0001));
                                case 2 -> copy.number(name, value ^ 1L << random.nextInt(64));
                                case 3 -> copy.number(name, value ^ 1L << random.nextInt(8));
                                default -> copy.number(name, value);
                            }
                        });
        for (String name : state.byteNames()) {
            byte[] value = state.bytes(name);
            if (random.nextInt(8) == 0) {
                value = bytes(random, random.nextInt(40));
            }
            copy.bytes(name, value);
        }
        state.children()
                .forEach(
                        (name, child) -> {
                            if (random.nextInt(30) != 0) {
                                copy.child(
                                        name,
                                        name.equals("pci") ? child : scrambled(child, random));
                            }
                        });
        return copy.build();
    }
}
