package org.backplane.hart;

import static org.junit.jupiter.api.Assertions.fail;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every instruction of F and D, in every rounding mode, against QEMU. */
class FloatingPointDifferentialTest {
    private static final long SEED = Long.getLong("differential.seed", 20260101L);
    private static final int DRAWN = 1500;
    private static final int REPORTED = 20;

    @BeforeEach
    void reference() {
        QemuUser.assumeInstalled();
    }

    @TestFactory
    List<DynamicTest> agreesWithQemu() throws Exception {
        System.out.println("floating-point differential test, -Ddifferential.seed=" + SEED);
        FloatTables tables = new FloatTables(FloatOp.all(), SEED, DRAWN);
        GuestProgram.Results expected = QemuUser.run(tables.program());
        List<DynamicTest> tests = new ArrayList<>();
        for (FloatTables.Table table : tables.tables()) {
            tests.add(DynamicTest.dynamicTest(table.name(), () -> compare(table, expected)));
        }
        return tests;
    }

    private static void compare(FloatTables.Table table, GuestProgram.Results expected) {
        FloatingPoint fp = new FloatingPoint();
        List<String> mismatches = new ArrayList<>();
        for (int row = 0; row < table.rows().length; row++) {
            long[] in = table.rows()[row];
            int fcsr = (int) in[3];
            int rm = table.rm() == FloatOp.DYNAMIC ? fcsr >> 5 : table.rm();
            fp.flags(fcsr & 0x1f);
            long ours = table.op().evaluation().apply(fp, in[0], in[1], in[2], rm);
            int flags = fp.flags();
            long theirs = expected.at(table.output() + row * FloatTables.RESULT_BYTES);
            int theirFcsr = (int) expected.at(table.output() + row * FloatTables.RESULT_BYTES + 8);
            if (ours != theirs || flags != (theirFcsr & 0x1f)) {
                mismatches.add(
                        String.format(
                                "%s a=%016x b=%016x c=%016x fcsr=%02x:"
                                        + " ours %016x flags %02x, QEMU %016x flags %02x",
                                table.name(),
                                in[0],
                                in[1],
                                in[2],
                                fcsr,
                                ours,
                                flags,
                                theirs,
                                theirFcsr & 0x1f));
            }
        }
        if (!mismatches.isEmpty()) {
            List<String> first = mismatches.subList(0, Math.min(REPORTED, mismatches.size()));
            fail(
                    mismatches.size()
                            + " mismatches (seed "
                            + SEED
                            + ")\n"
                            + String.join("\n", first));
        }
    }
}
