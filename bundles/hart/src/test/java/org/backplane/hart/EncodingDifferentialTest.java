package org.backplane.hart;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Which instruction words exist, compared with QEMU: every halfword of the C extension, and words
 * of 32 bits with drawn function fields. Each is executed once, and either traps as illegal or not.
 *
 * <p>Left out is what leaves the program's path or its mode: jumps, taken branches, SYSTEM; and
 * words that would change the registers which the program stands on.
 */
class EncodingDifferentialTest {
    private static final long SEED = Long.getLong("differential.seed", 20260101L);

    /** A processor of RV64GC and nothing more, whatever the generic one learns. */
    private static final String CPU = "sifive-u54";

    private static final int SP = 2;
    private static final int OUT = 9;
    private static final int SCRATCH = 10;
    private static final int ILLEGAL = 31;
    private static final int AREA = 8192;

    @BeforeEach
    void reference() throws Exception {
        QemuUser.assumeInstalled();
        System.out.println("encoding differential test, -Ddifferential.seed=" + SEED);
    }

    @Test
    void compressedInstructionsAreThoseQemuKnows() throws Exception {
        List<Integer> halves = new ArrayList<>();
        for (int half = 0; half < 0x10000; half++) {
            if ((half & 3) != 3 && !leaves(half) && harmless(half)) {
                halves.add(half);
            }
        }
        compare(halves, 0);
    }

    /** C.J, C.BEQZ, C.BNEZ, and C.JR, C.JALR, C.EBREAK, which are C.MV and C.ADD without rs2. */
    private static boolean leaves(int half) {
        int funct3 = half >> 13 & 7;
        int quadrant = half & 3;
        boolean toRegister = funct3 == 4 && (half >> 2 & 0x1f) == 0 && (half >> 7 & 0x1f) != 0;
        boolean breakpoint = half == 0x9002;
        return quadrant == 1 && funct3 >= 5 || quadrant == 2 && (toRegister || breakpoint);
    }

    /** Whether the registers that may be its destination are free to change. */
    private static boolean harmless(int half) {
        int full = half >> 7 & 0x1f;
        int high = 8 + (half >> 7 & 7);
        int low = 8 + (half >> 2 & 7);
        int funct3 = half >> 13 & 7;
        switch (half & 3) {
            case 0:
                return free(low);
            case 1:
                return funct3 < 4 ? free(full) : free(high);
            default:
                return free(full);
        }
    }

    private static boolean free(int register) {
        return register != SP && register != OUT && register != SCRATCH && register < 29;
    }

    @Test
    void wordsAreThoseQemuKnows() throws Exception {
        Random random = new Random(SEED);
        int[] opcodes = {
            Rv64.LOAD,
            Rv64.LOAD_FP,
            Rv64.MISC_MEM,
            Rv64.OP_IMM,
            Rv64.AUIPC,
            Rv64.OP_IMM_32,
            Rv64.STORE,
            Rv64.STORE_FP,
            Rv64.AMO,
            Rv64.OP,
            Rv64.LUI,
            Rv64.OP_32,
            Rv64.MADD,
            Rv64.MSUB,
            Rv64.NMSUB,
            Rv64.NMADD,
            Rv64.OP_FP
        };
        TreeSet<Integer> words = new TreeSet<>();
        for (int i = 0; i < 40_000; i++) {
            // The registers are fixed: what decides is the opcode and the function fields.
            int opcode = random.nextInt(8) == 0 ? any(random) : opcodes[i % opcodes.length];
            int word = Rv64.r(opcode, random.nextInt(8), random.nextInt(128), 12, SCRATCH, 13);
            if (opcode == Rv64.OP_FP || random.nextInt(4) == 0) {
                word = word & ~(0x1f << 20) | random.nextInt(8) << 20;
            }
            words.add(word);
        }
        compare(new ArrayList<>(words), 0);
    }

    /** An opcode of no standard instruction, or a branch or JALR that does not exist. */
    private static int any(Random random) {
        while (true) {
            int opcode = random.nextInt(32) << 2 | 3;
            boolean leaves =
                    opcode == Rv64.BRANCH
                            || opcode == Rv64.JALR
                            || opcode == Rv64.JAL
                            || opcode == Rv64.SYSTEM
                            || (opcode & 0x1f) == 0x1f;
            if (!leaves) {
                return opcode;
            }
        }
    }

    @Test
    void branchesAndJumpsWithoutMeaningAreIllegal() throws Exception {
        List<Integer> words = new ArrayList<>();
        for (int funct3 = 1; funct3 < 8; funct3++) {
            words.add(Rv64.i(Rv64.JALR, funct3, 12, SCRATCH, 0));
        }
        words.add(Rv64.b(2, 12, 13, 8));
        words.add(Rv64.b(3, 12, 13, 8));
        compare(words, 0);
    }

    @Test
    void dynamicRoundingIsIllegalWhereFrmHoldsNoMode() throws Exception {
        List<Integer> words = new ArrayList<>();
        for (Operation operation : Operation.floating()) {
            if (operation.destination() == 'F') {
                words.add(operation.encode(Operation.DYNAMIC));
                words.add(operation.encode(0));
            }
        }
        for (int frm = 5; frm < 8; frm++) {
            compare(words, frm);
        }
    }

    private static void compare(List<Integer> words, int frm) throws Exception {
        GuestProgram program = new GuestProgram();
        program.skipIllegal(ILLEGAL);
        int stack = program.output(AREA) + AREA / 2;
        int scratch = program.output(AREA) + AREA / 2;
        int results = program.output(words.size() * Long.BYTES);
        program.output(AREA);
        program.loadAddress(SP, stack);
        program.loadAddress(OUT, results);
        program.loadAddress(SCRATCH, scratch);
        program.emit(Rv64.i(Rv64.SYSTEM, 5, 0, frm, Csrs.FRM));
        for (int word : words) {
            for (int base = 8; base < 16; base++) {
                if (base != OUT && base != SCRATCH) {
                    program.emit16(0x8002 | base << 7 | SCRATCH << 2); // C.MV
                }
            }
            program.emit16(0x4001 | ILLEGAL << 7); // C.LI 0
            if ((word & 3) == 3) {
                program.emit(word);
            } else {
                program.emit16(word);
            }
            program.emit(Rv64.sd(ILLEGAL, 0, OUT)).emit(Rv64.addi(OUT, OUT, Long.BYTES));
        }
        program.finish();
        GuestProgram.Results theirs = QemuUser.run(program, CPU);
        compare(words, results, HartRunner.run(program), theirs);
        compare(words, results, HartRunner.runTranslated(program), theirs);
    }

    private static void compare(
            List<Integer> words,
            int results,
            GuestProgram.Results ours,
            GuestProgram.Results theirs) {
        List<String> differences = new ArrayList<>();
        for (int i = 0; i < words.size(); i++) {
            int at = results + i * Long.BYTES;
            if (ours.at(at) != theirs.at(at)) {
                differences.add(
                        String.format(
                                "%08x is %s, for QEMU %s",
                                words.get(i), word(ours.at(at)), word(theirs.at(at))));
            }
        }
        assertEquals("", String.join("\n", differences));
    }

    private static String word(long illegal) {
        return illegal == 0 ? "legal" : illegal == 1 ? "illegal" : "lost: " + illegal;
    }
}
