package org.backplane.hart;

/** Turns instructions of 32 bits into {@link Op}s. Stateless. */
final class Decoder {
    private static final int[] BRANCHES = {Op.BEQ, Op.BNE, 0, 0, Op.BLT, Op.BGE, Op.BLTU, Op.BGEU};
    private static final int[] LOADS = {Op.LB, Op.LH, Op.LW, Op.LD, Op.LBU, Op.LHU, Op.LWU, 0};
    private static final int[] STORES = {Op.SB, Op.SH, Op.SW, Op.SD, 0, 0, 0, 0};
    private static final int[] IMMEDIATES = {
        Op.ADDI, 0, Op.SLTI, Op.SLTIU, Op.XORI, 0, Op.ORI, Op.ANDI
    };
    private static final int[] OPS = {
        Op.ADD, Op.SLL, Op.SLT, Op.SLTU, Op.XOR, Op.SRL, Op.OR, Op.AND
    };
    private static final int[] MULDIVS = {
        Op.MUL, Op.MULH, Op.MULHSU, Op.MULHU, Op.DIV, Op.DIVU, Op.REM, Op.REMU
    };
    private static final int[] MULDIVS_32 = {
        Op.MULW, 0, 0, 0, Op.DIVW, Op.DIVUW, Op.REMW, Op.REMUW
    };
    private static final int[] CSRS = {
        0, Op.CSRRW, Op.CSRRS, Op.CSRRC, 0, Op.CSRRWI, Op.CSRRSI, Op.CSRRCI
    };
    private static final int[] FUSED = {Op.FMADD_S, Op.FMSUB_S, Op.FNMSUB_S, Op.FNMADD_S};

    private Decoder() {}

    static long illegal(int length) {
        return Op.pack(Op.ILLEGAL, 0, 0, 0, length, 0);
    }

    /**
     * Decodes an instruction.
     *
     * @param index of its first halfword in its page: pc-relative constants are relative to the
     *     page, which may be mapped anywhere
     */
    static long decode(int word, int index) {
        int rd = Encoding.rd(word);
        int rs1 = Encoding.rs1(word);
        int rs2 = Encoding.rs2(word);
        int funct3 = Encoding.funct3(word);
        switch (Encoding.opcode(word)) {
            case Encoding.LUI:
                return Op.pack(Op.LI, rd, 0, 0, 2, Encoding.immU(word));
            case Encoding.AUIPC:
                return Op.pack(Op.AUIPC, rd, 0, 0, 2, Encoding.immU(word) + 2 * index);
            case Encoding.JAL:
                return Op.pack(rd == 0 ? Op.J : Op.JAL, rd, 0, 0, 2, Encoding.immJ(word) >> 1);
            case Encoding.JALR:
                return funct3 != 0
                        ? illegal(2)
                        : Op.pack(Op.JALR, rd, rs1, 0, 2, Encoding.immI(word));
            case Encoding.BRANCH:
                return of(BRANCHES[funct3], 0, rs1, rs2, Encoding.immB(word) >> 1);
            case Encoding.LOAD:
                return of(LOADS[funct3], rd, rs1, 0, Encoding.immI(word));
            case Encoding.STORE:
                return of(STORES[funct3], 0, rs1, rs2, Encoding.immS(word));
            case Encoding.LOAD_FP:
                return loadFloat(word, funct3, rd, rs1);
            case Encoding.STORE_FP:
                return funct3 == 2 || funct3 == 3
                        ? Op.pack(
                                funct3 == 2 ? Op.FSW : Op.FSD, 0, rs1, rs2, 2, Encoding.immS(word))
                        : illegal(2);
            case Encoding.OP_IMM:
                return immediate(word, funct3, rd, rs1);
            case Encoding.OP_IMM_32:
                return immediate32(word, funct3, rd, rs1);
            case Encoding.OP:
                return operation(word, funct3, rd, rs1, rs2);
            case Encoding.OP_32:
                return operation32(word, funct3, rd, rs1, rs2);
            case Encoding.MISC_MEM:
                return fence(word, funct3);
            case Encoding.SYSTEM:
                return system(word, funct3, rd, rs1, rs2);
            case Encoding.AMO:
                return atomic(word, funct3, rd, rs1, rs2);
            case Encoding.MADD:
            case Encoding.MSUB:
            case Encoding.NMSUB:
            case Encoding.NMADD:
                return fused(word, rd, rs1, rs2);
            case Encoding.OP_FP:
                return FloatDecoder.decode(word);
            default:
                return illegal(2);
        }
    }

    /** Operation 0 in a table stands for a reserved encoding. */
    private static long of(int op, int rd, int rs1, int rs2, int immediate) {
        return op == 0 ? illegal(2) : Op.pack(op, rd, rs1, rs2, 2, immediate);
    }

    private static long loadFloat(int word, int funct3, int rd, int rs1) {
        if (funct3 != 2 && funct3 != 3) {
            return illegal(2);
        }
        int op = funct3 == 2 ? Op.FLW : Op.FLD;
        return Op.packFloat(op, rd, rs1, 0, 0, 2, Encoding.immI(word));
    }

    /** ADDI with its two special forms, for it and C.ADDI, C.LI, C.MV. */
    static long addi(int rd, int rs1, int length, int immediate) {
        if (rs1 == 0) {
            return Op.pack(Op.LI, rd, 0, 0, length, immediate);
        }
        return Op.pack(immediate == 0 ? Op.MV : Op.ADDI, rd, rs1, 0, length, immediate);
    }

    private static long immediate(int word, int funct3, int rd, int rs1) {
        switch (funct3) {
            case 0:
                return addi(rd, rs1, 2, Encoding.immI(word));
            case 1:
                return of(
                        Encoding.funct6(word) == 0 ? Op.SLLI : 0, rd, rs1, 0, Encoding.shamt(word));
            case 5:
                return of(
                        shiftRight(Encoding.funct6(word) << 1, Op.SRLI, Op.SRAI),
                        rd,
                        rs1,
                        0,
                        Encoding.shamt(word));
            default:
                return of(IMMEDIATES[funct3], rd, rs1, 0, Encoding.immI(word));
        }
    }

    private static int shiftRight(int funct7, int logical, int arithmetic) {
        return funct7 == Encoding.BASE ? logical : funct7 == Encoding.ALTERNATE ? arithmetic : 0;
    }

    private static long immediate32(int word, int funct3, int rd, int rs1) {
        int funct7 = Encoding.funct7(word);
        switch (funct3) {
            case 0:
                return Op.pack(Op.ADDIW, rd, rs1, 0, 2, Encoding.immI(word));
            case 1:
                return of(funct7 == 0 ? Op.SLLIW : 0, rd, rs1, 0, Encoding.rs2(word));
            case 5:
                return of(shiftRight(funct7, Op.SRLIW, Op.SRAIW), rd, rs1, 0, Encoding.rs2(word));
            default:
                return illegal(2);
        }
    }

    private static long operation(int word, int funct3, int rd, int rs1, int rs2) {
        int op = 0;
        switch (Encoding.funct7(word)) {
            case Encoding.BASE:
                op = OPS[funct3];
                break;
            case Encoding.ALTERNATE:
                op = funct3 == 0 ? Op.SUB : funct3 == 5 ? Op.SRA : 0;
                break;
            case Encoding.MULDIV:
                op = MULDIVS[funct3];
                break;
            default:
                break;
        }
        return of(op, rd, rs1, rs2, 0);
    }

    private static long operation32(int word, int funct3, int rd, int rs1, int rs2) {
        int op = 0;
        int funct7 = Encoding.funct7(word);
        if (funct7 == Encoding.MULDIV) {
            op = MULDIVS_32[funct3];
        } else if (funct3 == 0) {
            op = shiftRight(funct7, Op.ADDW, Op.SUBW);
        } else if (funct3 == 1 && funct7 == Encoding.BASE) {
            op = Op.SLLW;
        } else if (funct3 == 5) {
            op = shiftRight(funct7, Op.SRLW, Op.SRAW);
        }
        return of(op, rd, rs1, rs2, 0);
    }

    /** Reserved fields and reserved fm are ignored, as the base standard asks (section 2.7). */
    private static long fence(int word, int funct3) {
        switch (funct3) {
            case Encoding.FENCE:
                if (word == Encoding.PAUSE) {
                    return Op.pack(Op.PAUSE, 0, 0, 0, 2, 0);
                }
                return Op.pack(
                        Encoding.ordersStoreBeforeLoad(word) ? Op.FENCE_FULL : Op.FENCE_LIGHT,
                        0,
                        0,
                        0,
                        2,
                        0);
            case Encoding.FENCE_I:
                return Op.pack(Op.FENCE_I, 0, 0, 0, 2, 0);
            default:
                return illegal(2);
        }
    }

    private static long system(int word, int funct3, int rd, int rs1, int rs2) {
        if (funct3 != 0) {
            return of(CSRS[funct3], rd, rs1, 0, Encoding.csr(word));
        }
        if (Encoding.funct7(word) == Encoding.SFENCE_VMA && rd == 0) {
            return Op.pack(Op.SFENCE_VMA, 0, rs1, rs2, 2, 0);
        }
        switch (word) {
            case Encoding.ECALL:
                return Op.pack(Op.ECALL, 0, 0, 0, 2, 0);
            case Encoding.EBREAK:
                return Op.pack(Op.EBREAK, 0, 0, 0, 2, 0);
            case Encoding.SRET:
                return Op.pack(Op.SRET, 0, 0, 0, 2, 0);
            case Encoding.WFI:
                return Op.pack(Op.WFI, 0, 0, 0, 2, 0);
            default:
                return illegal(2);
        }
    }

    private static long atomic(int word, int funct3, int rd, int rs1, int rs2) {
        if (funct3 != 2 && funct3 != 3) {
            return illegal(2);
        }
        int op;
        switch (Encoding.funct5(word)) {
            case Encoding.LR:
                op = rs2 == 0 ? Op.LR_W : 0;
                break;
            case Encoding.SC:
                op = Op.SC_W;
                break;
            case Encoding.AMOSWAP:
                op = Op.AMOSWAP_W;
                break;
            case Encoding.AMOADD:
                op = Op.AMOADD_W;
                break;
            case Encoding.AMOXOR:
                op = Op.AMOXOR_W;
                break;
            case Encoding.AMOAND:
                op = Op.AMOAND_W;
                break;
            case Encoding.AMOOR:
                op = Op.AMOOR_W;
                break;
            case Encoding.AMOMIN:
                op = Op.AMOMIN_W;
                break;
            case Encoding.AMOMAX:
                op = Op.AMOMAX_W;
                break;
            case Encoding.AMOMINU:
                op = Op.AMOMINU_W;
                break;
            case Encoding.AMOMAXU:
                op = Op.AMOMAXU_W;
                break;
            default:
                op = 0;
                break;
        }
        if (op == 0) {
            return illegal(2);
        }
        return Op.pack(funct3 == 2 ? op : op + Op.LR_D - Op.LR_W, rd, rs1, rs2, 2, 0);
    }

    private static long fused(int word, int rd, int rs1, int rs2) {
        int fmt = Encoding.fmt(word);
        if (fmt != Encoding.SINGLE && fmt != Encoding.DOUBLE) {
            return illegal(2);
        }
        int op = FUSED[(Encoding.opcode(word) - Encoding.MADD) >> 2] + fmt * Op.FLOAT_DOUBLE;
        int rm = Encoding.funct3(word);
        return Op.packFloat(op, rd, rs1, rs2, rm, 2, Encoding.rs3(word));
    }
}
