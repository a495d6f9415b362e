package org.backplane.hart;

/**
 * Where the fields of an instruction are, and what their values mean: RISC-V unprivileged ISA,
 * version 20191213, chapter 24 (base and extensions) and chapter 16 (compressed), privileged
 * architecture 1.12 for SYSTEM. Nothing else in this bundle knows a bit position.
 */
final class Encoding {
    // Major opcodes, bits 6:0.
    static final int LOAD = 0x03;
    static final int LOAD_FP = 0x07;
    static final int MISC_MEM = 0x0f;
    static final int OP_IMM = 0x13;
    static final int AUIPC = 0x17;
    static final int OP_IMM_32 = 0x1b;
    static final int STORE = 0x23;
    static final int STORE_FP = 0x27;
    static final int AMO = 0x2f;
    static final int OP = 0x33;
    static final int LUI = 0x37;
    static final int OP_32 = 0x3b;
    static final int MADD = 0x43;
    static final int MSUB = 0x47;
    static final int NMSUB = 0x4b;
    static final int NMADD = 0x4f;
    static final int OP_FP = 0x53;
    static final int BRANCH = 0x63;
    static final int JALR = 0x67;
    static final int JAL = 0x6f;
    static final int SYSTEM = 0x73;

    // funct7 of OP, OP_32 and the immediate shifts.
    static final int BASE = 0x00;
    static final int MULDIV = 0x01;
    static final int ALTERNATE = 0x20;

    // funct3 of MISC_MEM.
    static final int FENCE = 0;
    static final int FENCE_I = 1;

    // Whole SYSTEM instructions.
    static final int ECALL = 0x00000073;
    static final int EBREAK = 0x00100073;
    static final int SRET = 0x10200073;
    static final int WFI = 0x10500073;
    static final int SFENCE_VMA = 0x09;

    // funct5 of AMO, bits 31:27.
    static final int AMOADD = 0x00;
    static final int AMOSWAP = 0x01;
    static final int LR = 0x02;
    static final int SC = 0x03;
    static final int AMOXOR = 0x04;
    static final int AMOOR = 0x08;
    static final int AMOAND = 0x0c;
    static final int AMOMIN = 0x10;
    static final int AMOMAX = 0x14;
    static final int AMOMINU = 0x18;
    static final int AMOMAXU = 0x1c;

    // fmt, bits 26:25.
    static final int SINGLE = 0;
    static final int DOUBLE = 1;

    // funct5 of OP_FP, bits 31:27.
    static final int FADD = 0x00;
    static final int FSUB = 0x01;
    static final int FMUL = 0x02;
    static final int FDIV = 0x03;
    static final int FSGNJ = 0x04;
    static final int FMINMAX = 0x05;
    static final int FCVT_FORMAT = 0x08;
    static final int FSQRT = 0x0b;
    static final int FCOMPARE = 0x14;
    static final int FCVT_TO_INTEGER = 0x18;
    static final int FCVT_FROM_INTEGER = 0x1a;
    static final int FMV_TO_X_OR_CLASS = 0x1c;
    static final int FMV_FROM_X = 0x1e;

    /** Values of the rm field, besides the five modes of {@link FloatingPoint}. */
    static final int DYNAMIC = 7;

    // Registers with a part in the calling convention or in compressed encodings.
    static final int RA = 1;
    static final int SP = 2;
    static final int A0 = 10;
    static final int A1 = 11;
    static final int A6 = 16;
    static final int A7 = 17;

    private Encoding() {}

    /** Whether a halfword is a whole instruction. */
    static boolean compressed(int halfword) {
        return (halfword & 3) != 3;
    }

    static int opcode(int word) {
        return word & 0x7f;
    }

    static int rd(int word) {
        return word >>> 7 & 31;
    }

    static int funct3(int word) {
        return word >>> 12 & 7;
    }

    static int rs1(int word) {
        return word >>> 15 & 31;
    }

    static int rs2(int word) {
        return word >>> 20 & 31;
    }

    static int rs3(int word) {
        return word >>> 27;
    }

    static int funct5(int word) {
        return word >>> 27;
    }

    static int fmt(int word) {
        return word >>> 25 & 3;
    }

    static int funct7(int word) {
        return word >>> 25;
    }

    static int csr(int word) {
        return word >>> 20;
    }

    static int immI(int word) {
        return word >> 20;
    }

    static int immS(int word) {
        return word >> 25 << 5 | word >>> 7 & 31;
    }

    static int immB(int word) {
        return word >> 31 << 12
                | (word >>> 7 & 1) << 11
                | (word >>> 25 & 0x3f) << 5
                | (word >>> 8 & 15) << 1;
    }

    static int immU(int word) {
        return word & 0xfffff000;
    }

    static int immJ(int word) {
        return word >> 31 << 20
                | (word >>> 12 & 0xff) << 12
                | (word >>> 20 & 1) << 11
                | (word >>> 21 & 0x3ff) << 1;
    }

    /** Shift amount of RV64's immediate shifts. */
    static int shamt(int word) {
        return word >>> 20 & 0x3f;
    }

    /** Bits 31:26, what is left of funct7 beside a six-bit shift amount. */
    static int funct6(int word) {
        return word >>> 26;
    }

    // The sets of FENCE: predecessor in 27:24, successor in 23:20, each i, o, r, w from the top.

    /** PAUSE of Zihintpause: a FENCE that orders nothing. */
    static final int PAUSE = 0x0100000f;

    /** Whether a FENCE orders earlier stores, device output included, before later loads. */
    static boolean ordersStoreBeforeLoad(int word) {
        return (word >>> 24 & 0x5) != 0 && (word >>> 20 & 0xa) != 0;
    }

    // Compressed: quadrant in 1:0, funct3 in 15:13.

    static int quadrant(int half) {
        return half & 3;
    }

    static int cFunct3(int half) {
        return half >>> 13 & 7;
    }

    /** The full register field of the CR, CI formats. */
    static int cRd(int half) {
        return half >>> 7 & 31;
    }

    static int cRs2(int half) {
        return half >>> 2 & 31;
    }

    /** The three-bit register at 9:7, x8 to x15. */
    static int cRs1Short(int half) {
        return (half >>> 7 & 7) + 8;
    }

    /** The three-bit register at 4:2, x8 to x15. */
    static int cRs2Short(int half) {
        return (half >>> 2 & 7) + 8;
    }

    /** Bit 12. */
    static int cBit12(int half) {
        return half >>> 12 & 1;
    }

    /** funct2 at 11:10. */
    static int cFunct2(int half) {
        return half >>> 10 & 3;
    }

    /** funct2 at 6:5. */
    static int cFunct2Low(int half) {
        return half >>> 5 & 3;
    }

    /** imm[5] at 12, imm[4:0] at 6:2, signed. */
    static int cImmediate(int half) {
        return cBit12(half) << 31 >> 26 | cRs2(half);
    }

    /** The same bits, unsigned: a shift amount. */
    static int cShamt(int half) {
        return cBit12(half) << 5 | cRs2(half);
    }

    static int cAddi16sp(int half) {
        return cBit12(half) << 31 >> 22
                | (half >>> 6 & 1) << 4
                | (half >>> 5 & 1) << 6
                | (half >>> 3 & 3) << 7
                | (half >>> 2 & 1) << 5;
    }

    static int cAddi4spn(int half) {
        return (half >>> 11 & 3) << 4
                | (half >>> 7 & 15) << 6
                | (half >>> 6 & 1) << 2
                | (half >>> 5 & 1) << 3;
    }

    /** Offset of C.LW and C.SW. */
    static int cWordOffset(int half) {
        return (half >>> 10 & 7) << 3 | (half >>> 6 & 1) << 2 | (half >>> 5 & 1) << 6;
    }

    /** Offset of C.LD, C.SD, C.FLD and C.FSD. */
    static int cDoubleOffset(int half) {
        return (half >>> 10 & 7) << 3 | (half >>> 5 & 3) << 6;
    }

    static int cLwspOffset(int half) {
        return cBit12(half) << 5 | (half >>> 4 & 7) << 2 | (half >>> 2 & 3) << 6;
    }

    static int cLdspOffset(int half) {
        return cBit12(half) << 5 | (half >>> 5 & 3) << 3 | (half >>> 2 & 7) << 6;
    }

    static int cSwspOffset(int half) {
        return (half >>> 9 & 15) << 2 | (half >>> 7 & 3) << 6;
    }

    static int cSdspOffset(int half) {
        return (half >>> 10 & 7) << 3 | (half >>> 7 & 7) << 6;
    }

    static int cJumpOffset(int half) {
        return cBit12(half) << 31 >> 20
                | (half >>> 11 & 1) << 4
                | (half >>> 9 & 3) << 8
                | (half >>> 8 & 1) << 10
                | (half >>> 7 & 1) << 6
                | (half >>> 6 & 1) << 7
                | (half >>> 3 & 7) << 1
                | (half >>> 2 & 1) << 5;
    }

    static int cBranchOffset(int half) {
        return cBit12(half) << 31 >> 23
                | (half >>> 10 & 3) << 3
                | (half >>> 5 & 3) << 6
                | (half >>> 3 & 3) << 1
                | (half >>> 2 & 1) << 5;
    }
}
