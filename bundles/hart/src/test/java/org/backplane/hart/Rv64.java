package org.backplane.hart;

/** Instruction words of the base formats (unprivileged ISA, "RV32I Base Integer"). */
final class Rv64 {
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

    static final int ECALL = SYSTEM;
    static final int CSR_FCSR = 0x003;

    private Rv64() {}

    static int r(int opcode, int funct3, int funct7, int rd, int rs1, int rs2) {
        return opcode | rd << 7 | funct3 << 12 | rs1 << 15 | rs2 << 20 | funct7 << 25;
    }

    /** Fused multiply-add: the format in the two bits under rs3. */
    static int r4(int opcode, int rm, int format, int rd, int rs1, int rs2, int rs3) {
        return r(opcode, rm, rs3 << 2 | format, rd, rs1, rs2);
    }

    static int i(int opcode, int funct3, int rd, int rs1, int immediate) {
        return opcode | rd << 7 | funct3 << 12 | rs1 << 15 | immediate << 20;
    }

    static int s(int opcode, int funct3, int rs1, int rs2, int immediate) {
        return opcode
                | (immediate & 0x1f) << 7
                | funct3 << 12
                | rs1 << 15
                | rs2 << 20
                | (immediate >> 5 & 0x7f) << 25;
    }

    static int b(int funct3, int rs1, int rs2, int offset) {
        return BRANCH
                | (offset >> 11 & 1) << 7
                | (offset >> 1 & 0xf) << 8
                | funct3 << 12
                | rs1 << 15
                | rs2 << 20
                | (offset >> 5 & 0x3f) << 25
                | (offset >> 12 & 1) << 31;
    }

    static int u(int opcode, int rd, int upper) {
        return opcode | rd << 7 | upper & 0xfffff000;
    }

    static int j(int rd, int offset) {
        return JAL
                | rd << 7
                | offset & 0xff000
                | (offset >> 11 & 1) << 20
                | (offset >> 1 & 0x3ff) << 21
                | (offset >> 20 & 1) << 31;
    }

    static int addi(int rd, int rs1, int immediate) {
        return i(OP_IMM, 0, rd, rs1, immediate);
    }

    static int ld(int rd, int offset, int rs1) {
        return i(LOAD, 3, rd, rs1, offset);
    }

    static int sd(int rs2, int offset, int rs1) {
        return s(STORE, 3, rs1, rs2, offset);
    }

    static int fld(int rd, int offset, int rs1) {
        return i(LOAD_FP, 3, rd, rs1, offset);
    }

    static int fsd(int rs2, int offset, int rs1) {
        return s(STORE_FP, 3, rs1, rs2, offset);
    }

    static int csrrw(int rd, int csr, int rs1) {
        return i(SYSTEM, 1, rd, rs1, csr);
    }

    static int csrrs(int rd, int csr, int rs1) {
        return i(SYSTEM, 2, rd, rs1, csr);
    }

    /**
     * Adds to an address the length of the instruction there: 4 where its lowest bits are 11, else
     * 2. Clobbers two registers.
     */
    static void skip(GuestProgram program, int address, int halfword, int three) {
        program.emit(i(LOAD, 5, halfword, address, 0));
        program.emit(i(OP_IMM, 7, halfword, halfword, 3));
        program.emit(addi(three, 0, 3));
        program.emit(addi(address, address, 2));
        program.emit(b(1, halfword, three, 8));
        program.emit(addi(address, address, 2));
    }
}
