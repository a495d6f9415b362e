package org.backplane.hart;

import java.util.ArrayList;
import java.util.List;

/** A program that runs each instruction, in each rounding mode, over a table of operands. */
final class OperandTables {
    /** A result: the destination register, then fcsr. */
    static final int RESULT_BYTES = 16;

    private static final int ROW_BYTES = 32;
    private static final int TABLE = 5;
    private static final int TABLE_END = 6;
    private static final int OUT = 7;
    private static final int SCRATCH = 28;

    /**
     * @param rm 0 to 4, or {@link Operation#DYNAMIC}: by the row's fcsr
     * @param rows three operands and fcsr each
     * @param output address of the first result
     */
    record Table(Operation op, int rm, long[][] rows, int output) {
        String name() {
            return op.rounds() ? op.name() + " rm=" + rm : op.name();
        }
    }

    private final GuestProgram program = new GuestProgram();
    private final List<Table> tables = new ArrayList<>();

    OperandTables(List<Operation> ops, long seed, int drawn) {
        Operands values = new Operands(seed);
        for (Operation op : ops) {
            long[][] rows = values.rows(op, drawn);
            int data = program.data(rows[0]);
            for (int row = 1; row < rows.length; row++) {
                program.data(rows[row]);
            }
            int[] modes = op.rounds() ? new int[] {0, 1, 2, 3, 4, Operation.DYNAMIC} : new int[1];
            for (int rm : modes) {
                int output = program.output(rows.length * RESULT_BYTES);
                tables.add(new Table(op, rm, rows, output));
                loop(op, rm, data, data + rows.length * ROW_BYTES, output);
            }
        }
        program.finish();
    }

    GuestProgram program() {
        return program;
    }

    List<Table> tables() {
        return tables;
    }

    private void loop(Operation op, int rm, int data, int end, int output) {
        program.loadAddress(TABLE, data).loadAddress(TABLE_END, end).loadAddress(OUT, output);
        int again = program.here();
        for (int i = 0; i < op.sources().length(); i++) {
            int register = Operation.SOURCE + i;
            program.emit(
                    op.sources().charAt(i) == 'F'
                            ? Rv64.fld(register, 8 * i, TABLE)
                            : Rv64.ld(register, 8 * i, TABLE));
        }
        program.emit(Rv64.ld(SCRATCH, 24, TABLE));
        program.emit(Rv64.csrrw(0, Rv64.CSR_FCSR, SCRATCH));
        program.emit(op.encode(rm));
        program.emit(Rv64.csrrs(SCRATCH, Rv64.CSR_FCSR, 0));
        program.emit(
                op.destination() == 'F'
                        ? Rv64.fsd(Operation.DESTINATION, 0, OUT)
                        : Rv64.sd(Operation.DESTINATION, 0, OUT));
        program.emit(Rv64.sd(SCRATCH, 8, OUT));
        program.emit(Rv64.addi(TABLE, TABLE, ROW_BYTES));
        program.emit(Rv64.addi(OUT, OUT, RESULT_BYTES));
        program.emit(Rv64.b(6, TABLE, TABLE_END, again - program.here()));
    }
}
