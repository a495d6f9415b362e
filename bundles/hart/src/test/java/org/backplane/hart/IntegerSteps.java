package org.backplane.hart;

import java.util.Random;

/** Steps of I and M that touch no memory: computing, branching, jumping. */
final class IntegerSteps {
    private static final String[] BRANCHES = {
        "beq", "bne", null, null, "blt", "bge", "bltu", "bgeu"
    };
    private static final String[] IMMEDIATES = {
        "addi", null, "slti", "sltiu", "xori", null, "ori", "andi"
    };

    private final StepProgram steps;
    private final Random random;

    IntegerSteps(StepProgram steps) {
        this.steps = steps;
        random = steps.random();
    }

    void computing(int each) {
        for (Operation operation : Operation.integer()) {
            for (int i = 0; i < each; i++) {
                int rd = steps.destination();
                int rs1 = steps.source();
                int rs2 = random.nextInt(8) == 0 ? rs1 : steps.source();
                int word = operation.word() | rd << 7 | rs1 << 15 | rs2 << 20;
                steps.step(text(operation.name(), rd, rs1, rs2), word);
            }
        }
    }

    void immediates(int each) {
        for (int i = 0; i < each; i++) {
            for (int funct3 = 0; funct3 < 8; funct3++) {
                if (IMMEDIATES[funct3] != null) {
                    immediate(IMMEDIATES[funct3], Rv64.OP_IMM, funct3, random.nextInt(4096) - 2048);
                }
            }
            immediate("addiw", Rv64.OP_IMM_32, 0, random.nextInt(4096) - 2048);
            immediate("slli", Rv64.OP_IMM, 1, random.nextInt(64));
            immediate("srli", Rv64.OP_IMM, 5, random.nextInt(64));
            immediate("srai", Rv64.OP_IMM, 5, random.nextInt(64) | 0x400);
            immediate("slliw", Rv64.OP_IMM_32, 1, random.nextInt(32));
            immediate("srliw", Rv64.OP_IMM_32, 5, random.nextInt(32));
            immediate("sraiw", Rv64.OP_IMM_32, 5, random.nextInt(32) | 0x400);
            upper("lui", Rv64.LUI);
            upper("auipc", Rv64.AUIPC);
        }
    }

    private void immediate(String name, int opcode, int funct3, int immediate) {
        int rd = steps.destination();
        int rs1 = steps.source();
        String text = String.format("%s x%d, x%d, %d", name, rd, rs1, immediate);
        steps.step(text, Rv64.i(opcode, funct3, rd, rs1, immediate));
    }

    private void upper(String name, int opcode) {
        int rd = steps.destination();
        int upper = random.nextInt() & ~0xfff;
        steps.step(
                String.format("%s x%d, 0x%x", name, rd, upper >>> 12), Rv64.u(opcode, rd, upper));
    }

    void branches(int each) {
        for (int i = 0; i < each; i++) {
            for (int funct3 = 0; funct3 < 8; funct3++) {
                if (BRANCHES[funct3] != null) {
                    int rs1 = steps.source();
                    int rs2 = random.nextInt(4) == 0 ? rs1 : steps.source();
                    if (random.nextBoolean()) {
                        forward(funct3, rs1, rs2);
                    } else {
                        backward(funct3, rs1, rs2);
                    }
                }
            }
            jump(steps.destination());
            jumpToRegister(steps.other(), steps.destination());
        }
    }

    /** Taken, it leaves out an instruction that can be seen in the dump. */
    private void forward(int funct3, int rs1, int rs2) {
        steps.begin();
        int address = steps.program().here();
        int skipped = 1 + random.nextInt(3);
        steps.program().emit(Rv64.b(funct3, rs1, rs2, 4 + 4 * skipped));
        marks(skipped, steps.other(rs1, rs2));
        steps.end(String.format("%s x%d, x%d, forward", BRANCHES[funct3], rs1, rs2), address);
    }

    /** Taken, it goes back to instructions that jump past the end. */
    private void backward(int funct3, int rs1, int rs2) {
        GuestProgram program = steps.program();
        int seen = steps.other(rs1, rs2);
        steps.begin();
        program.emit(Rv64.j(0, 12));
        program.emit(Rv64.addi(seen, seen, 1));
        program.emit(Rv64.j(0, 8));
        int address = program.here();
        program.emit(Rv64.b(funct3, rs1, rs2, -8));
        steps.end(String.format("%s x%d, x%d, backward", BRANCHES[funct3], rs1, rs2), address);
    }

    private void jump(int rd) {
        steps.begin();
        int address = steps.program().here();
        int skipped = 1 + random.nextInt(3);
        steps.program().emit(Rv64.j(rd, 4 + 4 * skipped));
        marks(skipped, steps.other(rd));
        steps.end(String.format("jal x%d, forward", rd), address);
    }

    /** With the lowest bit of the sum set, which is ignored. */
    private void jumpToRegister(int rs1, int rd) {
        GuestProgram program = steps.program();
        int link = random.nextInt(4) == 0 ? rs1 : rd;
        int offset = random.nextInt(4096) - 2048;
        steps.begin();
        int address = program.here() + 8;
        int target = address + 8;
        program.loadAddress(rs1, target + random.nextInt(2) - offset);
        program.emit(Rv64.i(Rv64.JALR, 0, link, rs1, offset));
        marks(1, steps.other(rs1, rd));
        steps.end(String.format("jalr x%d, %d(x%d)", link, offset, rs1), address);
    }

    private void marks(int count, int register) {
        for (int i = 0; i < count; i++) {
            steps.program().emit(Rv64.addi(register, register, 1 + i));
        }
    }

    private static String text(String name, int rd, int rs1, int rs2) {
        return String.format("%s x%d, x%d, x%d", name, rd, rs1, rs2);
    }
}
