package org.backplane.hart;

import java.util.Random;

/** Steps that write instructions, and execute them after FENCE.I. */
final class CodeSteps {
    private static final int FENCE_I = 0x100f;
    private static final int C_NOP = 1;
    private static final int PAGE = 4096;

    private final StepProgram steps;
    private final Random random;

    CodeSteps(StepProgram steps) {
        this.steps = steps;
        random = steps.random();
    }

    /**
     * Executes an instruction, replaces it, executes the other.
     *
     * @param acrossPages how many of them begin in a page's last halfword
     */
    void rewriting(int each, int acrossPages) {
        for (int i = 0; i < each; i++) {
            rewrite(i < acrossPages);
        }
    }

    private void rewrite(boolean acrossPages) {
        GuestProgram program = steps.program();
        int changed = steps.other();
        int link = steps.other(changed);
        int slot = steps.other(changed, link);
        int word = steps.other(changed, link, slot);
        steps.begin();
        int over = program.here();
        program.emit(0);
        while (acrossPages ? program.here() % PAGE != PAGE - 2 : random.nextBoolean()) {
            program.emit16(C_NOP);
        }
        int at = program.here();
        program.emit(Rv64.addi(changed, changed, random.nextInt(2048)));
        program.emit(Rv64.i(Rv64.JALR, 0, 0, link, 0));
        program.patch(over, Rv64.j(0, program.here() - over));
        int other = Rv64.i(Rv64.OP_IMM, 4, changed, changed, random.nextInt(2048));
        program.loadAddress(slot, at).emit(Rv64.i(Rv64.JALR, 0, link, slot, 0));
        program.loadAddress(word, other).emit(half(word, 0, slot));
        program.emit(Rv64.i(Rv64.OP_IMM, 5, word, word, 16)).emit(half(word, 2, slot));
        program.emit(FENCE_I).emit(Rv64.i(Rv64.JALR, 0, link, slot, 0));
        steps.end(String.format("x%d by code rewritten at %x", changed, at), at);
    }

    private static int half(int register, int offset, int base) {
        return Rv64.s(Rv64.STORE, 1, base, register, offset);
    }
}
