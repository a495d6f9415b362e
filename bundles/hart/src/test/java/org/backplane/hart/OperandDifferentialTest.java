package org.backplane.hart;

import static org.junit.jupiter.api.Assertions.fail;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Every instruction between registers of I, M, F and D, in every rounding mode, over tables of
 * operands, against QEMU.
 */
class OperandDifferentialTest {
    private static final long SEED = Long.getLong("differential.seed", 20260101L);
    private static final int DRAWN = 1500;
    private static final int REPORTED = 20;

    @TestFactory
    List<DynamicTest> arithmeticAgreesWithQemu() throws Exception {
        if (QemuUser.missing() != null) {
            // A skipped test, where an aborted factory would count as nothing.
            return List.of(DynamicTest.dynamicTest("reference", QemuUser::assumeInstalled));
        }
        System.out.println("floating-point differential test, -Ddifferential.seed=" + SEED);
        OperandTables tables = new OperandTables(Operation.floating(), SEED, DRAWN);
        GuestProgram.Results theirs = QemuUser.run(tables.program());
        return each(tables, theirs, OperandDifferentialTest::evaluate);
    }

    @TestFactory
    List<DynamicTest> hartAgreesWithQemu() throws Exception {
        if (QemuUser.missing() != null) {
            // A skipped test, where an aborted factory would count as nothing.
            return List.of(DynamicTest.dynamicTest("reference", QemuUser::assumeInstalled));
        }
        System.out.println("instruction differential test, -Ddifferential.seed=" + SEED);
        List<DynamicTest> tests = new ArrayList<>();
        for (List<Operation> batch : List.of(Operation.integer(), Operation.floating())) {
            OperandTables tables = new OperandTables(batch, SEED, DRAWN);
            GuestProgram.Results theirs = QemuUser.run(tables.program());
            GuestProgram.Results ours = HartRunner.run(tables.program());
            tests.addAll(each(tables, theirs, (table, row) -> result(ours, table, row)));
        }
        return tests;
    }

    private record Result(long register, long fcsr) {
        @Override
        public String toString() {
            return String.format("%016x fcsr %02x", register, fcsr);
        }
    }

    private static Result evaluate(OperandTables.Table table, int row) {
        FloatingPoint fp = new FloatingPoint();
        long[] in = table.rows()[row];
        int fcsr = (int) in[3];
        int rm = table.rm() == Operation.DYNAMIC ? fcsr >> 5 : table.rm();
        fp.flags(fcsr);
        long register = table.op().evaluation().apply(fp, in[0], in[1], in[2], rm);
        return new Result(register, fcsr & ~0x1f | fp.flags());
    }

    private static Result result(GuestProgram.Results results, OperandTables.Table table, int row) {
        int address = table.output() + row * OperandTables.RESULT_BYTES;
        return new Result(results.at(address), results.at(address + Long.BYTES));
    }

    private static List<DynamicTest> each(
            OperandTables tables,
            GuestProgram.Results theirs,
            BiFunction<OperandTables.Table, Integer, Result> ours) {
        List<DynamicTest> tests = new ArrayList<>();
        for (OperandTables.Table table : tables.tables()) {
            tests.add(DynamicTest.dynamicTest(table.name(), () -> compare(table, theirs, ours)));
        }
        return tests;
    }

    private static void compare(
            OperandTables.Table table,
            GuestProgram.Results theirs,
            BiFunction<OperandTables.Table, Integer, Result> ours) {
        List<String> mismatches = new ArrayList<>();
        for (int row = 0; row < table.rows().length; row++) {
            Result expected = result(theirs, table, row);
            Result actual = ours.apply(table, row);
            if (!actual.equals(expected)) {
                mismatches.add(
                        String.format(
                                "%s (%08x) a=%016x b=%016x c=%016x fcsr=%02x: ours %s, QEMU %s",
                                table.name(),
                                table.op().encode(table.rm()),
                                table.rows()[row][0],
                                table.rows()[row][1],
                                table.rows()[row][2],
                                table.rows()[row][3],
                                actual,
                                expected));
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
