package org.backplane.hart;

/** Turns instructions of the OP-FP major opcode into {@link Op}s. Stateless. */
final class FloatDecoder {
    private static final int[] SIGN_INJECTIONS = {Op.FSGNJ_S, Op.FSGNJN_S, Op.FSGNJX_S};
    private static final int[] COMPARISONS = {Op.FLE_S, Op.FLT_S, Op.FEQ_S};

    private FloatDecoder() {}

    static long decode(int word) {
        int rd = Encoding.rd(word);
        int rs1 = Encoding.rs1(word);
        int rs2 = Encoding.rs2(word);
        int rm = Encoding.funct3(word);
        int fmt = Encoding.fmt(word);
        int op = fmt == Encoding.SINGLE || fmt == Encoding.DOUBLE ? operation(word, rs2, rm) : 0;
        if (op == 0) {
            return Decoder.illegal(2);
        }
        op += fmt * Op.FLOAT_DOUBLE;
        return toInteger(Encoding.funct5(word))
                ? Op.packFloat(op, rd == 0 ? Op.NOWHERE : rd, rs1, rs2, rm, 2, 0)
                : Op.packFloat(op, rd, rs1, rs2, rm, 2, 0);
    }

    /** Whether the destination is an integer register. */
    private static boolean toInteger(int funct5) {
        return funct5 == Encoding.FCOMPARE
                || funct5 == Encoding.FCVT_TO_INTEGER
                || funct5 == Encoding.FMV_TO_X_OR_CLASS;
    }

    /** The operation on singles, or 0 for a reserved encoding. */
    private static int operation(int word, int rs2, int rm) {
        switch (Encoding.funct5(word)) {
            case Encoding.FADD:
                return Op.FADD_S;
            case Encoding.FSUB:
                return Op.FSUB_S;
            case Encoding.FMUL:
                return Op.FMUL_S;
            case Encoding.FDIV:
                return Op.FDIV_S;
            case Encoding.FSQRT:
                return rs2 == 0 ? Op.FSQRT_S : 0;
            case Encoding.FSGNJ:
                return rm < SIGN_INJECTIONS.length ? SIGN_INJECTIONS[rm] : 0;
            case Encoding.FMINMAX:
                return rm == 0 ? Op.FMIN_S : rm == 1 ? Op.FMAX_S : 0;
            case Encoding.FCOMPARE:
                return rm < COMPARISONS.length ? COMPARISONS[rm] : 0;
            case Encoding.FCVT_FORMAT:
                // The source format is the other of the two.
                return rs2 == 1 - Encoding.fmt(word) ? Op.FCVT_S_D : 0;
            case Encoding.FCVT_TO_INTEGER:
                return rs2 < 4 ? Op.FCVT_W_S + rs2 : 0;
            case Encoding.FCVT_FROM_INTEGER:
                return rs2 < 4 ? Op.FCVT_S_W + rs2 : 0;
            case Encoding.FMV_TO_X_OR_CLASS:
                return rs2 != 0 ? 0 : rm == 0 ? Op.FMV_X_W : rm == 1 ? Op.FCLASS_S : 0;
            case Encoding.FMV_FROM_X:
                return rs2 == 0 && rm == 0 ? Op.FMV_W_X : 0;
            default:
                return 0;
        }
    }
}
