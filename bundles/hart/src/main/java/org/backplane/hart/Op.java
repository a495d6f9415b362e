package org.backplane.hart;

/**
 * A decoded instruction: a long that holds an operation, three registers, a length and an
 * immediate. What the operation is stands in the low byte; operations are dense from 0, in the
 * order of how they are executed: by {@link Executor}'s loop up to {@link #MULHU}, by {@link Units}
 * from there on.
 *
 * <pre>
 *  63        32 31  28 27  25  24   23  19 18  14 13   8 7      0
 *  | immediate |      |  rm  | long | rs2 | rs1 |  rd  |   op   |
 * </pre>
 *
 * {@code rd} has six bits: x0 as a destination is register 32, which nobody reads.
 */
final class Op {
    /** Not decoded yet. */
    static final int UNDECODED = 0;

    /** A 32-bit instruction of which only the first half lies in the page. */
    static final int CROSS = 1;

    static final int LI = 2;
    static final int AUIPC = 3;
    static final int J = 4;
    static final int JAL = 5;
    static final int JALR = 6;
    static final int BEQ = 7;
    static final int BNE = 8;
    static final int BLT = 9;
    static final int BGE = 10;
    static final int BLTU = 11;
    static final int BGEU = 12;
    static final int LB = 13;
    static final int LH = 14;
    static final int LW = 15;
    static final int LD = 16;
    static final int LBU = 17;
    static final int LHU = 18;
    static final int LWU = 19;
    static final int SB = 20;
    static final int SH = 21;
    static final int SW = 22;
    static final int SD = 23;
    static final int ADDI = 24;
    static final int SLTI = 25;
    static final int SLTIU = 26;
    static final int XORI = 27;
    static final int ORI = 28;
    static final int ANDI = 29;
    static final int SLLI = 30;
    static final int SRLI = 31;
    static final int SRAI = 32;
    static final int ADD = 33;
    static final int SUB = 34;
    static final int SLL = 35;
    static final int SLT = 36;
    static final int SLTU = 37;
    static final int XOR = 38;
    static final int SRL = 39;
    static final int SRA = 40;
    static final int OR = 41;
    static final int AND = 42;
    static final int ADDIW = 43;
    static final int SLLIW = 44;
    static final int SRLIW = 45;
    static final int SRAIW = 46;
    static final int ADDW = 47;
    static final int SUBW = 48;
    static final int SLLW = 49;
    static final int SRLW = 50;
    static final int SRAW = 51;
    static final int MUL = 52;
    static final int MULW = 53;
    static final int MV = 54;
    static final int FENCE_LIGHT = 55;
    static final int FENCE_FULL = 56;
    static final int FLW = 57;
    static final int FLD = 58;
    static final int FSW = 59;
    static final int FSD = 60;
    static final int MULHU = 61;

    static final int DIVU = 62;
    static final int REMU = 63;
    static final int DIVUW = 64;
    static final int REMUW = 65;
    static final int MULH = 66;
    static final int MULHSU = 67;
    static final int DIV = 68;
    static final int REM = 69;
    static final int DIVW = 70;
    static final int REMW = 71;

    static final int ILLEGAL = 72;
    static final int ECALL = 73;
    static final int EBREAK = 74;
    static final int SRET = 75;
    static final int WFI = 76;
    static final int SFENCE_VMA = 77;
    static final int FENCE_I = 78;

    /** The immediate is the CSR's number; rs1 the register, or the value of the I forms. */
    static final int CSRRW = 79;

    static final int CSRRS = 80;
    static final int CSRRC = 81;
    static final int CSRRWI = 82;
    static final int CSRRSI = 83;
    static final int CSRRCI = 84;
    static final int PAUSE = 85;

    static final int LR_W = 86;
    static final int SC_W = 87;
    static final int AMOSWAP_W = 88;
    static final int AMOADD_W = 89;
    static final int AMOXOR_W = 90;
    static final int AMOAND_W = 91;
    static final int AMOOR_W = 92;
    static final int AMOMIN_W = 93;
    static final int AMOMAX_W = 94;
    static final int AMOMINU_W = 95;
    static final int AMOMAXU_W = 96;
    static final int LR_D = 97;
    static final int SC_D = 98;
    static final int AMOSWAP_D = 99;
    static final int AMOADD_D = 100;
    static final int AMOXOR_D = 101;
    static final int AMOAND_D = 102;
    static final int AMOOR_D = 103;
    static final int AMOMIN_D = 104;
    static final int AMOMAX_D = 105;
    static final int AMOMINU_D = 106;
    static final int AMOMAXU_D = 107;
    static final int LAST_ATOMIC = 107;

    // Single, then the same for double at FLOAT_DOUBLE more.
    static final int FADD_S = 108;
    static final int FSUB_S = 109;
    static final int FMUL_S = 110;
    static final int FDIV_S = 111;
    static final int FSQRT_S = 112;

    /** The immediate is rs3. */
    static final int FMADD_S = 113;

    static final int FMSUB_S = 114;
    static final int FNMSUB_S = 115;
    static final int FNMADD_S = 116;
    static final int FSGNJ_S = 117;
    static final int FSGNJN_S = 118;
    static final int FSGNJX_S = 119;
    static final int FMIN_S = 120;
    static final int FMAX_S = 121;
    static final int FEQ_S = 122;
    static final int FLT_S = 123;
    static final int FLE_S = 124;
    static final int FCLASS_S = 125;
    static final int FCVT_W_S = 126;
    static final int FCVT_WU_S = 127;
    static final int FCVT_L_S = 128;
    static final int FCVT_LU_S = 129;
    static final int FCVT_S_W = 130;
    static final int FCVT_S_WU = 131;
    static final int FCVT_S_L = 132;
    static final int FCVT_S_LU = 133;
    static final int FMV_X_W = 134;
    static final int FMV_W_X = 135;

    /** To the other format: FCVT.S.D, and FCVT.D.S at FLOAT_DOUBLE more. */
    static final int FCVT_S_D = 136;

    /** From an operation on singles to the one on doubles. */
    static final int FLOAT_DOUBLE = 29;

    static final int LAST_FLOAT = FCVT_S_D + FLOAT_DOUBLE;

    /** The register that takes what is written to x0. */
    static final int NOWHERE = 32;

    private static final int RD = 8;
    private static final int RS1 = 14;
    private static final int RS2 = 19;
    private static final int LONG = 24;
    private static final int RM = 25;

    private Op() {}

    /**
     * @param length in halfwords, 1 or 2
     */
    static long pack(int op, int rd, int rs1, int rs2, int length, int immediate) {
        return (long) immediate << 32
                | op
                | (long) (rd == 0 ? NOWHERE : rd) << RD
                | rs1 << RS1
                | rs2 << RS2
                | (length - 1) << LONG;
    }

    /** As {@link #pack}, with a floating-point destination, where register 0 is like any other. */
    static long packFloat(int op, int rd, int rs1, int rs2, int rm, int length, int immediate) {
        return (long) immediate << 32
                | op
                | rd << RD
                | rs1 << RS1
                | rs2 << RS2
                | (length - 1) << LONG
                | rm << RM;
    }

    static int op(int low) {
        return low & 0xff;
    }

    static int rd(int low) {
        return low >>> RD & 63;
    }

    static int rs1(int low) {
        return low >>> RS1 & 31;
    }

    static int rs2(int low) {
        return low >>> RS2 & 31;
    }

    /** In halfwords. */
    static int length(int low) {
        return (low >>> LONG & 1) + 1;
    }

    static int rm(int low) {
        return low >>> RM & 7;
    }

    static int immediate(long decoded) {
        return (int) (decoded >> 32);
    }
}
