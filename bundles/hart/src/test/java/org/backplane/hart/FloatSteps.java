package org.backplane.hart;

import java.util.Random;

/** Steps of F and D over drawn registers, and of their control and status registers. */
final class FloatSteps {
    private static final int FFLAGS = 1;
    private static final int FRM = 2;
    private static final int FCSR = 3;
    private static final String[] CSR_NAMES = {
        null, "csrrw", "csrrs", "csrrc", null, "csrrwi", "csrrsi", "csrrci"
    };

    private final StepProgram steps;
    private final Random random;

    FloatSteps(StepProgram steps) {
        this.steps = steps;
        random = steps.random();
    }

    void computing(int each) {
        for (Operation operation : Operation.floating()) {
            for (int i = 0; i < each; i++) {
                computing(operation);
            }
        }
    }

    private void computing(Operation operation) {
        boolean integerSource = operation.sources().charAt(0) == 'X';
        boolean integerDestination = operation.destination() == 'X';
        int rd = integerDestination ? steps.destination() : random.nextInt(32);
        int rs1 = integerSource ? steps.source() : random.nextInt(32);
        int rs2 = random.nextInt(4) == 0 ? rs1 : random.nextInt(32);
        int rs3 = random.nextInt(32);
        int word = operation.word() | rd << 7 | rs1 << 15;
        String text =
                String.format(
                        "%s %c%d, %c%d",
                        operation.name(),
                        integerDestination ? 'x' : 'f',
                        rd,
                        integerSource ? 'x' : 'f',
                        rs1);
        if (operation.sources().length() > 1) {
            word |= rs2 << 20;
            text += ", f" + rs2;
        }
        if (operation.sources().length() > 2) {
            word |= rs3 << 27;
            text += ", f" + rs3;
        }
        if (operation.rounds()) {
            int mode = random.nextInt(6);
            int rm = mode == 5 ? Operation.DYNAMIC : mode;
            word |= rm << 12;
            text += ", rm=" + rm;
        }
        steps.step(text, word);
    }

    void controlAndStatus(int each) {
        for (int i = 0; i < each; i++) {
            for (int csr = FFLAGS; csr <= FCSR; csr++) {
                for (int funct3 = 1; funct3 < 8; funct3++) {
                    if (CSR_NAMES[funct3] != null) {
                        control(csr, funct3);
                    }
                }
            }
        }
    }

    private void control(int csr, int funct3) {
        int rd = steps.destination();
        int rs1 = funct3 > 4 ? random.nextInt(32) : steps.source();
        steps.step(
                String.format("%s x%d, %d, %d", CSR_NAMES[funct3], rd, csr, rs1),
                Rv64.i(Rv64.SYSTEM, funct3, rd, rs1, csr));
        // A mode that is none may stand in frm, but not for the steps that use it.
        steps.program().emit(Rv64.i(Rv64.SYSTEM, 5, 0, random.nextInt(5), FRM));
    }
}
