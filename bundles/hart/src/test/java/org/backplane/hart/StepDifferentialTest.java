package org.backplane.hart;

import static org.junit.jupiter.api.Assertions.fail;

import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Single instructions over drawn registers, all registers compared with QEMU after each; in S-mode
 * and in U-mode behind page tables.
 */
class StepDifferentialTest {
    private static final long SEED = Long.getLong("differential.seed", 20260101L);
    private static final int REPORTED = 20;

    @BeforeEach
    void reference() throws Exception {
        QemuUser.assumeInstalled();
        System.out.println("step differential test, -Ddifferential.seed=" + SEED);
    }

    private static void compare(Consumer<StepProgram> group) throws Exception {
        StepProgram steps = new StepProgram(SEED);
        group.accept(steps);
        GuestProgram program = steps.finish();
        GuestProgram.Results theirs = QemuUser.run(program);
        report("S-mode", steps.differences(HartRunner.run(program), theirs));
        report("U-mode, translated", steps.differences(HartRunner.runTranslated(program), theirs));
    }

    private static void report(String mode, List<String> differences) {
        if (!differences.isEmpty()) {
            fail(
                    mode
                            + ": "
                            + differences.size()
                            + " blocks differ (seed "
                            + SEED
                            + ")\n"
                            + String.join(
                                    "\n",
                                    differences.subList(
                                            0, Math.min(REPORTED, differences.size()))));
        }
    }

    @Test
    void computesAsQemuDoes() throws Exception {
        compare(
                steps -> {
                    new IntegerSteps(steps).computing(100);
                    new IntegerSteps(steps).immediates(200);
                });
    }

    @Test
    void branchesAsQemuDoes() throws Exception {
        compare(steps -> new IntegerSteps(steps).branches(400));
    }

    @Test
    void loadsAndStoresAsQemuDoes() throws Exception {
        compare(steps -> new MemorySteps(steps).loadsAndStores(500));
    }

    @Test
    void updatesAtomicallyAsQemuDoes() throws Exception {
        compare(steps -> new MemorySteps(steps).atomics(150));
    }

    @Test
    void computesInFloatingPointAsQemuDoes() throws Exception {
        compare(
                steps -> {
                    new FloatSteps(steps).computing(100);
                    new FloatSteps(steps).controlAndStatus(40);
                });
    }

    @Test
    void expandsCompressedInstructionsAsQemuDoes() throws Exception {
        compare(steps -> new CompressedSteps(steps).all(200));
    }

    @Test
    void executesRewrittenCodeAsQemuDoes() throws Exception {
        compare(steps -> new CodeSteps(steps).rewriting(300, 40));
    }
}
