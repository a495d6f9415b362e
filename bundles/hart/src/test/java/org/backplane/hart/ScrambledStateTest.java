package org.backplane.hart;

import static org.backplane.hart.StateEdits.copy;
import static org.backplane.hart.StateEdits.with;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.statistics.Statistics;
import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.testkit.GoldenState;

/** States scrambled at random. */
class ScrambledStateTest {
    private static SavedState golden() {
        return GoldenState.read(SavedVmTest.class, SavedVmTest.GOLDEN);
    }

    /** Any damage is refused, or makes a state that is itself saved and restored. */
    @Property(tries = 400)
    void takesOrRefusesAnyState(@ForAll long seed) throws Exception {
        Random random = new Random(seed);
        try (Rig rig = new Rig(2);
                Rig untouched = new Rig(2)) {
            try {
                rig.vm.restore(scrambled(golden(), random));
            } catch (HypervisorException refused) {
                Statistics.collect("refused");
                assertTrue(refused.getMessage().endsWith("."), refused.getMessage());
                assertEquals(
                        with(untouched.save(), "guestTime", 0), with(rig.save(), "guestTime", 0));
                return;
            }
            Statistics.collect("taken");
            SavedState taken = rig.vm.save();
            untouched.vm.restore(taken);
            assertEquals(taken, untouched.vm.save());
        }
        Statistics.coverage(
                outcomes -> {
                    outcomes.check("taken").count(count -> count > 5);
                    outcomes.check("refused").count(count -> count > 5);
                });
    }

    private static SavedState scrambled(SavedState state, Random random) {
        SavedState.Builder copy =
                SavedState.of(
                        state.schema(),
                        random.nextInt(60) == 0 ? random.nextInt() : state.version());
        state.numbers()
                .forEach(
                        (name, value) -> {
                            switch (random.nextInt(120)) {
                                case 0 -> copy.number(name, random.nextLong());
                                case 1, 2 -> copy.number(name, value ^ 1L << random.nextInt(64));
                                case 3, 4 -> copy.number(name, value ^ 1L << random.nextInt(4));
                                case 5 -> copy.number(name + "?", value);
                                default -> copy.number(name, value);
                            }
                        });
        for (String name : state.byteNames()) {
            byte[] value = state.bytes(name);
            switch (random.nextInt(40)) {
                case 0 -> copy.bytes(name, new byte[random.nextInt(2 * value.length)]);
                case 1, 2 -> {
                    value[random.nextInt(value.length)] ^= (byte) (1 << random.nextInt(8));
                    copy.bytes(name, value);
                }
                default -> copy.bytes(name, value);
            }
        }
        state.children()
                .forEach(
                        (name, child) -> {
                            if (random.nextInt(60) != 0) {
                                copy.child(name, scrambled(child, random));
                            }
                        });
        return copy.build();
    }
}
