package org.backplane.hart;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Assembles the small guest programs of tests; numbers of registers are plain ints. */
final class Program {
    static final int RA = 1;
    static final int SP = 2;
    static final int T0 = 5;
    static final int T1 = 6;
    static final int T2 = 7;
    static final int S0 = 8;
    static final int S1 = 9;
    static final int A0 = 10;
    static final int A1 = 11;
    static final int A2 = 12;
    static final int A3 = 13;
    static final int A4 = 14;
    static final int A5 = 15;
    static final int A6 = 16;
    static final int A7 = 17;
    static final int S2 = 18;
    static final int S3 = 19;

    static final int NOP = 0x13;
    static final int C_NOP = 0x0001;
    static final int WFI = 0x10500073;
    static final int SRET = 0x10200073;
    static final int EBREAK = 0x00100073;
    static final int FENCE = 0x0ff0000f;
    static final int FENCE_I = 0x100f;

    private record Fixup(int at, String label, int kind, int rd, int rs1, int rs2) {}

    private static final int BRANCH = 0;
    private static final int JUMP = 1;
    private static final int ADDRESS = 2;

    private final long base;
    private final List<Short> halves = new ArrayList<>();
    private final Map<String, Integer> labels = new HashMap<>();
    private final List<Fixup> fixups = new ArrayList<>();

    Program(long base) {
        this.base = base;
    }

    long base() {
        return base;
    }

    long here() {
        return base + 2L * halves.size();
    }

    Program half(int half) {
        halves.add((short) half);
        return this;
    }

    Program emit(int... words) {
        for (int word : words) {
            half(word).half(word >>> 16);
        }
        return this;
    }

    Program label(String name) {
        labels.put(name, halves.size());
        return this;
    }

    /** Fills with NOPs up to an address. */
    Program until(long address) {
        while (here() + 4 <= address) {
            emit(NOP);
        }
        return here() < address ? half(C_NOP) : this;
    }

    private Program later(String label, int kind, int rd, int rs1, int rs2) {
        fixups.add(new Fixup(halves.size(), label, kind, rd, rs1, rs2));
        return emit(0);
    }

    Program jump(String label) {
        return later(label, JUMP, 0, 0, 0);
    }

    Program call(String label) {
        return later(label, JUMP, RA, 0, 0);
    }

    Program beq(int rs1, int rs2, String label) {
        return later(label, BRANCH, 0, rs1, rs2);
    }

    Program bne(int rs1, int rs2, String label) {
        return later(label, BRANCH, 1, rs1, rs2);
    }

    Program bltu(int rs1, int rs2, String label) {
        return later(label, BRANCH, 6, rs1, rs2);
    }

    /** Loads a label's address. */
    Program la(int rd, String label) {
        later(label, ADDRESS, rd, 0, 0);
        return emit(0);
    }

    /** Loads any constant. */
    Program li(int rd, long value) {
        if (value >= -2048 && value < 2048) {
            return emit(Rv64.addi(rd, 0, (int) value));
        }
        long low = value << 52 >> 52;
        long rest = value - low;
        if (rest == (int) rest) {
            emit(Rv64.u(Rv64.LUI, rd, (int) rest));
            return low == 0 ? this : emit(Rv64.i(Rv64.OP_IMM_32, 0, rd, rd, (int) low & 0xfff));
        }
        int zeros = Math.max(12, Long.numberOfTrailingZeros(rest));
        li(rd, rest >> zeros);
        emit(Rv64.i(Rv64.OP_IMM, 1, rd, rd, zeros));
        return low == 0 ? this : emit(Rv64.addi(rd, rd, (int) low));
    }

    Program load(int width, int rd, int offset, int rs1) {
        return emit(Rv64.i(Rv64.LOAD, Integer.numberOfTrailingZeros(width), rd, rs1, offset));
    }

    Program store(int width, int rs2, int offset, int rs1) {
        return emit(Rv64.s(Rv64.STORE, Integer.numberOfTrailingZeros(width), rs1, rs2, offset));
    }

    Program add(int rd, int rs1, int rs2) {
        return emit(Rv64.r(Rv64.OP, 0, 0, rd, rs1, rs2));
    }

    Program addi(int rd, int rs1, int immediate) {
        return emit(Rv64.addi(rd, rs1, immediate));
    }

    Program csrw(int csr, int rs1) {
        return emit(Rv64.csrrw(0, csr, rs1));
    }

    Program csrr(int rd, int csr) {
        return emit(Rv64.csrrs(rd, csr, 0));
    }

    Program csrs(int csr, int rs1) {
        return emit(Rv64.csrrs(0, csr, rs1));
    }

    Program csrc(int csr, int rs1) {
        return emit(Rv64.i(Rv64.SYSTEM, 3, 0, rs1, csr));
    }

    /** Writes a constant to a CSR, through t0. */
    Program csrli(int csr, long value) {
        return li(T0, value).csrw(csr, T0);
    }

    Program amo(int funct5, int width, int rd, int rs2, int rs1) {
        int funct3 = Integer.numberOfTrailingZeros(width);
        return emit(Rv64.r(Rv64.AMO, funct3, funct5 << 2, rd, rs1, rs2));
    }

    Program lr(int width, int rd, int rs1) {
        return amo(Encoding.LR, width, rd, 0, rs1);
    }

    Program sc(int width, int rd, int rs2, int rs1) {
        return amo(Encoding.SC, width, rd, rs2, rs1);
    }

    Program sfence(int rs1, int rs2) {
        return emit(Rv64.r(Rv64.SYSTEM, 0, Encoding.SFENCE_VMA, 0, rs1, rs2));
    }

    Program ecall() {
        return emit(Rv64.ECALL);
    }

    /** Calls the supervisor binary interface; arguments are in a0 to a5 already. */
    Program sbi(long extension, int function) {
        return li(A7, extension).li(A6, function).ecall();
    }

    /** Ends the run with the value of a register; clobbers t2. */
    Program exit(int register) {
        return li(T2, Rig.DONE).store(8, register, 0, T2);
    }

    long address(String label) {
        return base + 2L * target(label);
    }

    byte[] bytes() {
        for (Fixup fixup : fixups) {
            int offset = 2 * (target(fixup.label) - fixup.at);
            switch (fixup.kind) {
                case BRANCH:
                    patch(fixup.at, Rv64.b(fixup.rd, fixup.rs1, fixup.rs2, offset));
                    break;
                case JUMP:
                    patch(fixup.at, Rv64.j(fixup.rd, offset));
                    break;
                default:
                    int low = offset << 20 >> 20;
                    patch(fixup.at, Rv64.u(Rv64.AUIPC, fixup.rd, offset - low));
                    patch(fixup.at + 2, Rv64.addi(fixup.rd, fixup.rd, low));
                    break;
            }
        }
        byte[] bytes = new byte[2 * halves.size()];
        for (int i = 0; i < halves.size(); i++) {
            bytes[2 * i] = (byte) (short) halves.get(i);
            bytes[2 * i + 1] = (byte) (halves.get(i) >> 8);
        }
        return bytes;
    }

    private int target(String label) {
        Integer at = labels.get(label);
        if (at == null) {
            throw new IllegalStateException("no label " + label);
        }
        return at;
    }

    private void patch(int at, int word) {
        halves.set(at, (short) word);
        halves.set(at + 1, (short) (word >>> 16));
    }
}
