package org.backplane.hart;

/**
 * The F and D extensions: operands from registers into {@link FloatingPoint}'s hands, and back.
 * Belongs to the hart's thread.
 */
final class FloatUnit {
    private static final int DYNAMIC = Encoding.DYNAMIC;

    private final Registers registers;
    private final Csrs csrs;
    private final FloatingPoint arithmetic;
    private final Trap trap;

    FloatUnit(Registers registers, Csrs csrs, FloatingPoint arithmetic, Trap trap) {
        this.registers = registers;
        this.csrs = csrs;
        this.arithmetic = arithmetic;
        this.trap = trap;
    }

    /** Refuses floating-point instructions where sstatus.FS is Off. */
    void require() {
        if (!csrs.floatingPointOn()) {
            throw trap.of(Trap.ILLEGAL_INSTRUCTION, 0);
        }
    }

    /** Executes an instruction that is no load or store. */
    void execute(int op, long decoded) {
        require();
        int low = (int) decoded;
        boolean single = op < Op.FADD_S + Op.FLOAT_DOUBLE;
        int operation = single ? op : op - Op.FLOAT_DOUBLE;
        if (operation >= Op.FCVT_S_W && operation != Op.FMV_X_W) {
            fromInteger(operation, single, low);
        } else if (operation >= Op.FEQ_S) {
            toInteger(operation, single, low);
        } else if (single) {
            single(operation, low, Op.immediate(decoded));
        } else {
            twice(operation, low, Op.immediate(decoded));
        }
        csrs.dirtyFloatingPoint();
    }

    private int mode(int low) {
        int mode = Op.rm(low);
        if (mode == DYNAMIC) {
            mode = csrs.roundingMode();
        }
        if (mode > FloatingPoint.RMM) {
            throw trap.of(Trap.ILLEGAL_INSTRUCTION, 0);
        }
        return mode;
    }

    private void single(int operation, int low, int rs3) {
        int a = FloatingPoint.unbox(registers.f[Op.rs1(low)]);
        int b = FloatingPoint.unbox(registers.f[Op.rs2(low)]);
        int result;
        switch (operation) {
            case Op.FADD_S:
                result = arithmetic.faddS(a, b, mode(low));
                break;
            case Op.FSUB_S:
                result = arithmetic.fsubS(a, b, mode(low));
                break;
            case Op.FMUL_S:
                result = arithmetic.fmulS(a, b, mode(low));
                break;
            case Op.FDIV_S:
                result = arithmetic.fdivS(a, b, mode(low));
                break;
            case Op.FSQRT_S:
                result = arithmetic.fsqrtS(a, mode(low));
                break;
            case Op.FMADD_S:
                result = arithmetic.fmaddS(a, b, third(rs3), mode(low));
                break;
            case Op.FMSUB_S:
                result = arithmetic.fmsubS(a, b, third(rs3), mode(low));
                break;
            case Op.FNMSUB_S:
                result = arithmetic.fnmsubS(a, b, third(rs3), mode(low));
                break;
            case Op.FNMADD_S:
                result = arithmetic.fnmaddS(a, b, third(rs3), mode(low));
                break;
            case Op.FSGNJ_S:
                result = FloatingPoint.fsgnjS(a, b);
                break;
            case Op.FSGNJN_S:
                result = FloatingPoint.fsgnjnS(a, b);
                break;
            case Op.FSGNJX_S:
                result = FloatingPoint.fsgnjxS(a, b);
                break;
            case Op.FMIN_S:
                result = arithmetic.fminS(a, b);
                break;
            default:
                result = arithmetic.fmaxS(a, b);
                break;
        }
        registers.f[Op.rd(low)] = FloatingPoint.box(result);
    }

    private int third(int rs3) {
        return FloatingPoint.unbox(registers.f[rs3]);
    }

    /** Operations from doubles to a double. */
    private void twice(int operation, int low, int rs3) {
        long a = registers.f[Op.rs1(low)];
        long b = registers.f[Op.rs2(low)];
        long result;
        switch (operation) {
            case Op.FADD_S:
                result = arithmetic.faddD(a, b, mode(low));
                break;
            case Op.FSUB_S:
                result = arithmetic.fsubD(a, b, mode(low));
                break;
            case Op.FMUL_S:
                result = arithmetic.fmulD(a, b, mode(low));
                break;
            case Op.FDIV_S:
                result = arithmetic.fdivD(a, b, mode(low));
                break;
            case Op.FSQRT_S:
                result = arithmetic.fsqrtD(a, mode(low));
                break;
            case Op.FMADD_S:
                result = arithmetic.fmaddD(a, b, registers.f[rs3], mode(low));
                break;
            case Op.FMSUB_S:
                result = arithmetic.fmsubD(a, b, registers.f[rs3], mode(low));
                break;
            case Op.FNMSUB_S:
                result = arithmetic.fnmsubD(a, b, registers.f[rs3], mode(low));
                break;
            case Op.FNMADD_S:
                result = arithmetic.fnmaddD(a, b, registers.f[rs3], mode(low));
                break;
            case Op.FSGNJ_S:
                result = FloatingPoint.fsgnjD(a, b);
                break;
            case Op.FSGNJN_S:
                result = FloatingPoint.fsgnjnD(a, b);
                break;
            case Op.FSGNJX_S:
                result = FloatingPoint.fsgnjxD(a, b);
                break;
            case Op.FMIN_S:
                result = arithmetic.fminD(a, b);
                break;
            default:
                result = arithmetic.fmaxD(a, b);
                break;
        }
        registers.f[Op.rd(low)] = result;
    }

    private void toInteger(int operation, boolean single, int low) {
        long a = registers.f[Op.rs1(low)];
        long b = registers.f[Op.rs2(low)];
        registers.x[Op.rd(low)] =
                single
                        ? integerOfSingle(operation, low, a, FloatingPoint.unbox(a), b)
                        : integerOfDouble(operation, low, a, b);
    }

    private long integerOfSingle(int operation, int low, long raw, int a, long rawB) {
        switch (operation) {
            case Op.FEQ_S:
                return arithmetic.feqS(a, FloatingPoint.unbox(rawB));
            case Op.FLT_S:
                return arithmetic.fltS(a, FloatingPoint.unbox(rawB));
            case Op.FLE_S:
                return arithmetic.fleS(a, FloatingPoint.unbox(rawB));
            case Op.FCLASS_S:
                return FloatingPoint.fclassS(a);
            case Op.FCVT_W_S:
                return arithmetic.fcvtWS(a, mode(low));
            case Op.FCVT_WU_S:
                return arithmetic.fcvtWuS(a, mode(low));
            case Op.FCVT_L_S:
                return arithmetic.fcvtLS(a, mode(low));
            case Op.FCVT_LU_S:
                return arithmetic.fcvtLuS(a, mode(low));
            default:
                // FMV.X.W moves bits, boxed or not.
                return (int) raw;
        }
    }

    private long integerOfDouble(int operation, int low, long a, long b) {
        switch (operation) {
            case Op.FEQ_S:
                return arithmetic.feqD(a, b);
            case Op.FLT_S:
                return arithmetic.fltD(a, b);
            case Op.FLE_S:
                return arithmetic.fleD(a, b);
            case Op.FCLASS_S:
                return FloatingPoint.fclassD(a);
            case Op.FCVT_W_S:
                return arithmetic.fcvtWD(a, mode(low));
            case Op.FCVT_WU_S:
                return arithmetic.fcvtWuD(a, mode(low));
            case Op.FCVT_L_S:
                return arithmetic.fcvtLD(a, mode(low));
            case Op.FCVT_LU_S:
                return arithmetic.fcvtLuD(a, mode(low));
            default:
                return a;
        }
    }

    /** From an integer register, or from the other format. */
    private void fromInteger(int operation, boolean single, int low) {
        long a = registers.x[Op.rs1(low)];
        if (operation == Op.FCVT_S_D) {
            long source = registers.f[Op.rs1(low)];
            // To double nothing rounds, but a reserved mode is illegal all the same.
            int mode = mode(low);
            registers.f[Op.rd(low)] =
                    single
                            ? FloatingPoint.box(arithmetic.fcvtSD(source, mode))
                            : arithmetic.fcvtDS(FloatingPoint.unbox(source));
            return;
        }
        registers.f[Op.rd(low)] =
                single
                        ? FloatingPoint.box(singleOf(operation, low, a))
                        : doubleOf(operation, low, a);
    }

    private int singleOf(int operation, int low, long a) {
        switch (operation) {
            case Op.FCVT_S_W:
                return arithmetic.fcvtSW((int) a, mode(low));
            case Op.FCVT_S_WU:
                return arithmetic.fcvtSWu((int) a, mode(low));
            case Op.FCVT_S_L:
                return arithmetic.fcvtSL(a, mode(low));
            case Op.FCVT_S_LU:
                return arithmetic.fcvtSLu(a, mode(low));
            default:
                return (int) a;
        }
    }

    private long doubleOf(int operation, int low, long a) {
        switch (operation) {
            case Op.FCVT_S_W:
                return arithmetic.fcvtDW((int) a, mode(low));
            case Op.FCVT_S_WU:
                return arithmetic.fcvtDWu((int) a, mode(low));
            case Op.FCVT_S_L:
                return arithmetic.fcvtDL(a, mode(low));
            case Op.FCVT_S_LU:
                return arithmetic.fcvtDLu(a, mode(low));
            default:
                return a;
        }
    }
}
