package org.backplane.hart;

import java.util.Random;

/** Steps of the C extension: every instruction that RV64DC has but C.EBREAK. */
final class CompressedSteps {
    private static final String[] ARITHMETIC = {"c.sub", "c.xor", "c.or", "c.and"};
    private static final String[] WORD_ARITHMETIC = {"c.subw", "c.addw"};

    private final StepProgram steps;
    private final Random random;

    CompressedSteps(StepProgram steps) {
        this.steps = steps;
        random = steps.random();
    }

    void all(int each) {
        for (int i = 0; i < each; i++) {
            immediates();
            arithmetic();
            stack();
            memory();
            control();
        }
    }

    /** One of x8 to x15, as three bits. */
    private int small() {
        return random.nextInt(8);
    }

    private static int bit(int value, int from, int to) {
        return (value >> from & 1) << to;
    }

    private static int bits(int value, int from, int count, int to) {
        return (value >> from & (1 << count) - 1) << to;
    }

    private void step(String text, int half) {
        steps.begin();
        int address = steps.program().here();
        steps.program().emit16(half);
        align();
        steps.end(text, address);
    }

    /** Half of the time the next instruction is not aligned to a word. */
    private void align() {
        if (random.nextBoolean()) {
            steps.program().emit16(1);
        }
    }

    private int notZero(int bound) {
        return 1 + random.nextInt(bound - 1);
    }

    private int signed6() {
        int value = notZero(32);
        return random.nextBoolean() ? value : -value;
    }

    private static int ci(int quadrant, int funct3, int rd, int immediate) {
        return quadrant | funct3 << 13 | rd << 7 | bit(immediate, 5, 12) | bits(immediate, 0, 5, 2);
    }

    private void immediates() {
        int rd = steps.other();
        int immediate = signed6();
        step(text("c.addi", rd, immediate), ci(1, 0, rd, immediate));
        rd = steps.other();
        immediate = random.nextInt(64) - 32;
        step(text("c.addiw", rd, immediate), ci(1, 1, rd, immediate));
        rd = steps.other();
        step(text("c.li", rd, immediate), ci(1, 2, rd, immediate));
        rd = steps.other();
        immediate = signed6();
        step(text("c.lui", rd, immediate), ci(1, 3, rd, immediate));
        rd = steps.other();
        int shift = notZero(64);
        step(text("c.slli", rd, shift), ci(2, 0, rd, shift));
        int r = small();
        shift = notZero(64);
        step(text("c.srli", r + 8, shift), ci(1, 4, r, shift));
        step(text("c.srai", r + 8, shift), ci(1, 4, r | 8, shift));
        step(text("c.andi", r + 8, immediate), ci(1, 4, r | 16, immediate));
        int up = 16 * signed6();
        int addi16sp =
                1
                        | 3 << 13
                        | 2 << 7
                        | bit(up, 9, 12)
                        | bit(up, 4, 6)
                        | bit(up, 6, 5)
                        | bits(up, 7, 2, 3)
                        | bit(up, 5, 2);
        step("c.addi16sp " + up, addi16sp);
        int wide = 4 * notZero(256);
        int addi4spn =
                bits(wide, 4, 2, 11)
                        | bits(wide, 6, 4, 7)
                        | bit(wide, 2, 6)
                        | bit(wide, 3, 5)
                        | r << 2;
        step(text("c.addi4spn", r + 8, wide), addi4spn);
    }

    private void arithmetic() {
        int rd = small();
        int rs2 = small();
        for (int i = 0; i < 4; i++) {
            int half = 1 | 4 << 13 | 3 << 10 | rd << 7 | i << 5 | rs2 << 2;
            step(text(ARITHMETIC[i], rd + 8, rs2 + 8), half);
        }
        for (int i = 0; i < 2; i++) {
            int half = 1 | 4 << 13 | 7 << 10 | rd << 7 | i << 5 | rs2 << 2;
            step(text(WORD_ARITHMETIC[i], rd + 8, rs2 + 8), half);
        }
        int to = steps.other();
        int from = steps.other();
        step(text("c.mv", to, from), 2 | 4 << 13 | to << 7 | from << 2);
        step(text("c.add", to, from), 2 | 4 << 13 | 1 << 12 | to << 7 | from << 2);
        step("c.nop", 1);
    }

    /** Loads and stores relative to x2, which points into the scratch memory. */
    private void stack() {
        int word = 4 * random.nextInt(64);
        int twice = 8 * random.nextInt(64);
        int wordLoad = bit(word, 5, 12) | bits(word, 2, 3, 4) | bits(word, 6, 2, 2);
        int doubleLoad = bit(twice, 5, 12) | bits(twice, 3, 2, 5) | bits(twice, 6, 3, 2);
        int wordStore = bits(word, 2, 4, 9) | bits(word, 6, 2, 7);
        int doubleStore = bits(twice, 3, 3, 10) | bits(twice, 6, 3, 7);
        int rd = steps.other();
        int f = random.nextInt(32);
        step(text("c.lwsp", rd, word), 2 | 2 << 13 | rd << 7 | wordLoad);
        step(text("c.ldsp", rd, twice), 2 | 3 << 13 | rd << 7 | doubleLoad);
        step(text("c.fldsp f", f, twice), 2 | 1 << 13 | f << 7 | doubleLoad);
        int rs2 = steps.source();
        step(text("c.swsp", rs2, word), 2 | 6 << 13 | rs2 << 2 | wordStore);
        shown(StepProgram.SP, word);
        step(text("c.sdsp", rs2, twice), 2 | 7 << 13 | rs2 << 2 | doubleStore);
        shown(StepProgram.SP, twice);
        step(text("c.fsdsp f", f, twice), 2 | 5 << 13 | f << 2 | doubleStore);
        shown(StepProgram.SP, twice);
    }

    /** A step that loads what a store left, relative to the middle of the scratch memory. */
    private void shown(int base, int offset) {
        int rd = steps.other();
        steps.step("memory after it", Rv64.ld(rd, offset & -8, base));
    }

    private void memory() {
        int word = 4 * random.nextInt(32);
        int twice = 8 * random.nextInt(32);
        int wordOffset = bits(word, 3, 3, 10) | bit(word, 2, 6) | bit(word, 6, 5);
        int doubleOffset = bits(twice, 3, 3, 10) | bits(twice, 6, 2, 5);
        int base = small();
        int other = base + 1 & 7;
        based("c.lw", base, 2 << 13 | wordOffset | base << 7 | small() << 2);
        based("c.ld", base, 3 << 13 | doubleOffset | base << 7 | small() << 2);
        based("c.fld", base, 1 << 13 | doubleOffset | base << 7 | small() << 2);
        based("c.sw", base, 6 << 13 | wordOffset | base << 7 | other << 2);
        shown(StepProgram.SP, word);
        based("c.sd", base, 7 << 13 | doubleOffset | base << 7 | other << 2);
        shown(StepProgram.SP, twice);
        based("c.fsd", base, 5 << 13 | doubleOffset | base << 7 | other << 2);
        shown(StepProgram.SP, twice);
    }

    private void based(String name, int base, int half) {
        steps.begin();
        steps.program().loadAddress(base + 8, steps.middle());
        int address = steps.program().here();
        steps.program().emit16(half);
        align();
        steps.end(String.format("%s (%04x), base x%d", name, half, base + 8), address);
    }

    private void control() {
        int seen = steps.other(8, 9, 10, 11, 12, 13, 14, 15);
        int r = small();
        boolean taken = random.nextBoolean();
        for (int funct3 = 6; funct3 <= 7; funct3++) {
            GuestProgram program = steps.program();
            steps.begin();
            if (taken) {
                program.emit(Rv64.addi(r + 8, 0, 0));
            }
            int address = program.here();
            program.emit16(branch(funct3, r, 6)).emit(Rv64.addi(seen, seen, 1));
            align();
            steps.end((funct3 == 6 ? "c.beqz x" : "c.bnez x") + (r + 8), address);
        }
        jumps(seen);
    }

    private static int branch(int funct3, int r, int offset) {
        return 1
                | funct3 << 13
                | bit(offset, 8, 12)
                | bits(offset, 3, 2, 10)
                | r << 7
                | bits(offset, 6, 2, 5)
                | bits(offset, 1, 2, 3)
                | bit(offset, 5, 2);
    }

    private static int jump(int offset) {
        return 1
                | 5 << 13
                | bit(offset, 11, 12)
                | bit(offset, 4, 11)
                | bits(offset, 8, 2, 9)
                | bit(offset, 10, 8)
                | bit(offset, 6, 7)
                | bit(offset, 7, 6)
                | bits(offset, 1, 3, 3)
                | bit(offset, 5, 2);
    }

    private void jumps(int seen) {
        GuestProgram program = steps.program();
        steps.begin();
        int address = program.here();
        program.emit16(jump(6)).emit(Rv64.addi(seen, seen, 1));
        steps.end("c.j forward", address);

        steps.begin();
        program.emit(Rv64.j(0, 12));
        program.emit(Rv64.addi(seen, seen, 1)).emit(Rv64.j(0, 6));
        address = program.here();
        program.emit16(jump(-8));
        steps.end("c.j backward", address);

        for (int link = 0; link <= 1; link++) {
            int target = steps.other(seen);
            steps.begin();
            address = program.here() + 8;
            program.loadAddress(target, address + 6);
            program.emit16(2 | 4 << 13 | link << 12 | target << 7);
            program.emit(Rv64.addi(seen, seen, 1));
            align();
            steps.end((link == 0 ? "c.jr x" : "c.jalr x") + target, address);
        }
    }

    private static String text(String name, int register, int operand) {
        return String.format("%s %d, %d", name, register, operand);
    }
}
