package org.backplane.hart;

import java.util.Random;

/** Steps that load, store and do both: I, A, and the loads and stores of F and D. */
final class MemorySteps {
    private static final String[] LOADS = {"lb", "lh", "lw", "ld", "lbu", "lhu", "lwu"};
    private static final String[] STORES = {"sb", "sh", "sw", "sd"};
    private static final int[] AMO_FUNCTIONS = {0, 1, 4, 8, 12, 16, 20, 24, 28};
    private static final String[] AMO_NAMES = {
        "amoadd", "amoswap", "amoxor", "amoor", "amoand", "amomin", "amomax", "amominu", "amomaxu"
    };
    private static final int LR = 2;
    private static final int SC = 3;

    private final StepProgram steps;
    private final Random random;

    MemorySteps(StepProgram steps) {
        this.steps = steps;
        random = steps.random();
    }

    /** Aligned three times out of four. */
    void loadsAndStores(int each) {
        for (int i = 0; i < each; i++) {
            for (int funct3 = 0; funct3 < LOADS.length; funct3++) {
                int rd = steps.destination();
                access(LOADS[funct3], 'x', rd, Rv64.LOAD, funct3, 1 << (funct3 & 3));
            }
            for (int funct3 = 0; funct3 < STORES.length; funct3++) {
                access(STORES[funct3], 'x', steps.source(), Rv64.STORE, funct3, 1 << funct3);
            }
            access("flw", 'f', random.nextInt(32), Rv64.LOAD_FP, 2, 4);
            access("fld", 'f', random.nextInt(32), Rv64.LOAD_FP, 3, 8);
            access("fsw", 'f', random.nextInt(32), Rv64.STORE_FP, 2, 4);
            access("fsd", 'f', random.nextInt(32), Rv64.STORE_FP, 3, 8);
        }
    }

    private int address(int width) {
        int offset = random.nextInt(StepProgram.SCRATCH_BYTES - 32);
        boolean aligned = random.nextInt(4) != 0;
        return steps.scratch() + (aligned ? offset & -width : offset);
    }

    private void access(String name, char file, int register, int opcode, int funct3, int width) {
        boolean store = opcode == Rv64.STORE || opcode == Rv64.STORE_FP;
        int address = address(width);
        int offset = random.nextInt(4096) - 2048;
        int base = store && file == 'x' ? steps.other(register) : steps.other();
        steps.begin();
        steps.program().loadAddress(base, address - offset);
        int at = steps.program().here();
        steps.program()
                .emit(
                        store
                                ? Rv64.s(opcode, funct3, base, register, offset)
                                : Rv64.i(opcode, funct3, register, base, offset));
        if (store) {
            show(address, register, base);
        }
        steps.end(
                String.format(
                        "%s %c%d, %d(x%d) at %x", name, file, register, offset, base, address),
                at);
    }

    /** Loads the doublewords around an address, so that the dump shows them. */
    private void show(int address, int... taken) {
        int first = steps.other(taken);
        int second = steps.other(first, taken[0]);
        steps.program().loadAddress(first, address & -8);
        steps.program().emit(Rv64.ld(second, 8, first)).emit(Rv64.ld(first, 0, first));
    }

    void atomics(int each) {
        for (int i = 0; i < each; i++) {
            for (int width = 4; width <= 8; width += 4) {
                for (int function = 0; function < AMO_FUNCTIONS.length; function++) {
                    amo(AMO_NAMES[function], AMO_FUNCTIONS[function], width);
                }
                reserved(width);
                reservedElsewhere(width);
                notReserved(width);
            }
        }
    }

    private static int word(int function, int order, int width, int rd, int rs1, int rs2) {
        return Rv64.r(Rv64.AMO, width == 4 ? 2 : 3, function << 2 | order, rd, rs1, rs2);
    }

    private void amo(String name, int function, int width) {
        int address = address(width) & -width;
        int rs2 = steps.source();
        int base = steps.other(rs2);
        int rd = random.nextInt(6) == 0 ? base : steps.destination();
        steps.begin();
        steps.program().loadAddress(base, address);
        int at = steps.program().here();
        steps.program().emit(word(function, random.nextInt(4), width, rd, base, rs2));
        show(address, rd, base);
        steps.end(String.format("%s.%d x%d, x%d, (x%d)", name, width, rd, rs2, base), at);
    }

    /** A pair that has to succeed, and a second SC that must not. */
    private void reserved(int width) {
        int address = address(width) & -width;
        int base = steps.other();
        int loaded = steps.other(base);
        int rs2 = random.nextBoolean() ? loaded : steps.other(base);
        int result = steps.other(base, loaded, rs2);
        int again = steps.other(base, loaded, rs2, result);
        steps.begin();
        steps.program().loadAddress(base, address);
        int at = steps.program().here();
        steps.program().emit(word(LR, random.nextInt(4), width, loaded, base, 0));
        steps.program().emit(word(SC, random.nextInt(4), width, result, base, rs2));
        steps.program().emit(word(SC, random.nextInt(4), width, again, base, 0));
        steps.end(String.format("lr.%d x%d; sc x%d; sc x%d", width, loaded, result, again), at);
        shown("memory after lr and sc", address);
    }

    private void reservedElsewhere(int width) {
        int address = steps.scratch() + (random.nextInt(512) & -width);
        int base = steps.other();
        int loaded = steps.other(base);
        int result = steps.other(base, loaded);
        steps.begin();
        steps.program().loadAddress(base, address);
        int at = steps.program().here();
        steps.program().emit(word(LR, 0, width, loaded, base, 0));
        steps.program().emit(Rv64.addi(base, base, 1024));
        steps.program().emit(word(SC, 0, width, result, base, loaded));
        steps.end(String.format("lr.%d; sc x%d to another address", width, result), at);
        shown("memory after an sc elsewhere", address + 1024);
    }

    private void notReserved(int width) {
        int address = address(width) & -width;
        int base = steps.other();
        int result = steps.other(base);
        steps.begin();
        steps.program().loadAddress(base, address);
        // Ends whatever reservation an earlier step left.
        steps.program().emit(word(SC, 0, width, 0, base, 0));
        int at = steps.program().here();
        steps.program().emit(word(SC, 0, width, result, base, base));
        steps.end(String.format("sc.%d x%d without lr", width, result), at);
        shown("memory after an sc without lr", address);
    }

    private void shown(String text, int address) {
        int register = steps.other();
        steps.begin();
        int at = steps.program().here();
        show(address, register);
        steps.end(text, at);
    }
}
