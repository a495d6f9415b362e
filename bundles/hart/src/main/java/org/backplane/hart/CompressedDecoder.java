package org.backplane.hart;

/**
 * Turns compressed instructions into the {@link Op}s of what they stand for (chapter 16, RV64C).
 * Stateless.
 */
final class CompressedDecoder {
    private static final int[] OPERATIONS = {
        Op.SUB, Op.XOR, Op.OR, Op.AND, Op.SUBW, Op.ADDW, Op.ILLEGAL, Op.ILLEGAL
    };

    private CompressedDecoder() {}

    static long decode(int half) {
        switch (Encoding.quadrant(half)) {
            case 0:
                return quadrant0(half);
            case 1:
                return quadrant1(half);
            default:
                return quadrant2(half);
        }
    }

    private static long quadrant0(int half) {
        int base = Encoding.cRs1Short(half);
        int register = Encoding.cRs2Short(half);
        switch (Encoding.cFunct3(half)) {
            case 0:
                int offset = Encoding.cAddi4spn(half);
                return offset == 0
                        ? Decoder.illegal(1)
                        : Op.pack(Op.ADDI, register, Encoding.SP, 0, 1, offset);
            case 1:
                return Op.packFloat(Op.FLD, register, base, 0, 0, 1, Encoding.cDoubleOffset(half));
            case 2:
                return Op.pack(Op.LW, register, base, 0, 1, Encoding.cWordOffset(half));
            case 3:
                return Op.pack(Op.LD, register, base, 0, 1, Encoding.cDoubleOffset(half));
            case 5:
                return Op.pack(Op.FSD, 0, base, register, 1, Encoding.cDoubleOffset(half));
            case 6:
                return Op.pack(Op.SW, 0, base, register, 1, Encoding.cWordOffset(half));
            case 7:
                return Op.pack(Op.SD, 0, base, register, 1, Encoding.cDoubleOffset(half));
            default:
                return Decoder.illegal(1);
        }
    }

    private static long quadrant1(int half) {
        int rd = Encoding.cRd(half);
        int immediate = Encoding.cImmediate(half);
        int register = Encoding.cRs1Short(half);
        switch (Encoding.cFunct3(half)) {
            case 0:
                return Decoder.addi(rd, rd, 1, immediate);
            case 1:
                return rd == 0 ? Decoder.illegal(1) : Op.pack(Op.ADDIW, rd, rd, 0, 1, immediate);
            case 2:
                return Op.pack(Op.LI, rd, 0, 0, 1, immediate);
            case 3:
                return upperImmediate(half, rd, immediate);
            case 4:
                return arithmetic(half, register);
            case 5:
                return Op.pack(Op.J, 0, 0, 0, 1, Encoding.cJumpOffset(half) >> 1);
            case 6:
                return Op.pack(Op.BEQ, 0, register, 0, 1, Encoding.cBranchOffset(half) >> 1);
            default:
                return Op.pack(Op.BNE, 0, register, 0, 1, Encoding.cBranchOffset(half) >> 1);
        }
    }

    private static long upperImmediate(int half, int rd, int immediate) {
        if (rd == Encoding.SP) {
            int offset = Encoding.cAddi16sp(half);
            return offset == 0 ? Decoder.illegal(1) : Op.pack(Op.ADDI, rd, rd, 0, 1, offset);
        }
        return immediate == 0 ? Decoder.illegal(1) : Op.pack(Op.LI, rd, 0, 0, 1, immediate << 12);
    }

    private static long arithmetic(int half, int rd) {
        int rs2 = Encoding.cRs2Short(half);
        switch (Encoding.cFunct2(half)) {
            case 0:
                return Op.pack(Op.SRLI, rd, rd, 0, 1, Encoding.cShamt(half));
            case 1:
                return Op.pack(Op.SRAI, rd, rd, 0, 1, Encoding.cShamt(half));
            case 2:
                return Op.pack(Op.ANDI, rd, rd, 0, 1, Encoding.cImmediate(half));
            default:
                int operation = Encoding.cBit12(half) << 2 | Encoding.cFunct2Low(half);
                return Op.pack(OPERATIONS[operation], rd, rd, rs2, 1, 0);
        }
    }

    private static long quadrant2(int half) {
        int rd = Encoding.cRd(half);
        int rs2 = Encoding.cRs2(half);
        switch (Encoding.cFunct3(half)) {
            case 0:
                return Op.pack(Op.SLLI, rd, rd, 0, 1, Encoding.cShamt(half));
            case 1:
                return Op.packFloat(Op.FLD, rd, Encoding.SP, 0, 0, 1, Encoding.cLdspOffset(half));
            case 2:
                return rd == 0
                        ? Decoder.illegal(1)
                        : Op.pack(Op.LW, rd, Encoding.SP, 0, 1, Encoding.cLwspOffset(half));
            case 3:
                return rd == 0
                        ? Decoder.illegal(1)
                        : Op.pack(Op.LD, rd, Encoding.SP, 0, 1, Encoding.cLdspOffset(half));
            case 4:
                return jumpMoveAdd(half, rd, rs2);
            case 5:
                return Op.pack(Op.FSD, 0, Encoding.SP, rs2, 1, Encoding.cSdspOffset(half));
            case 6:
                return Op.pack(Op.SW, 0, Encoding.SP, rs2, 1, Encoding.cSwspOffset(half));
            default:
                return Op.pack(Op.SD, 0, Encoding.SP, rs2, 1, Encoding.cSdspOffset(half));
        }
    }

    private static long jumpMoveAdd(int half, int rd, int rs2) {
        boolean link = Encoding.cBit12(half) != 0;
        if (rs2 != 0) {
            return link ? Op.pack(Op.ADD, rd, rd, rs2, 1, 0) : Op.pack(Op.MV, rd, rs2, 0, 1, 0);
        }
        if (rd != 0) {
            return Op.pack(Op.JALR, link ? Encoding.RA : 0, rd, 0, 1, 0);
        }
        return link ? Op.pack(Op.EBREAK, 0, 0, 0, 1, 0) : Decoder.illegal(1);
    }
}
