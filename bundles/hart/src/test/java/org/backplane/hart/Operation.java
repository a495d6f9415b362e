package org.backplane.hart;

import java.util.ArrayList;
import java.util.List;

/**
 * An instruction between registers: how it is encoded, and for F and D what {@link FloatingPoint}
 * makes of it.
 *
 * @param format of the operands, which decides what values are worth trying
 * @param sources one letter an operand: F a floating-point register, X an integer register
 * @param destination F or X
 * @param word without registers and rounding mode
 * @param rounds whether funct3 is the rounding mode
 * @param evaluation null for integer instructions
 */
record Operation(
        String name,
        Format format,
        String sources,
        char destination,
        int word,
        boolean rounds,
        Evaluation evaluation) {

    enum Format {
        SINGLE,
        DOUBLE,
        WORD,
        LONG
    }

    static final int DYNAMIC = 7;
    static final int SOURCE = 10;
    static final int DESTINATION = 13;

    /** The destination register's 64 bits from those of the sources. */
    @FunctionalInterface
    interface Evaluation {
        long apply(FloatingPoint fp, long a, long b, long c, int rm);
    }

    @FunctionalInterface
    private interface Single {
        int apply(FloatingPoint fp, int a, int b, int rm);
    }

    @FunctionalInterface
    private interface Double {
        long apply(FloatingPoint fp, long a, long b, int rm);
    }

    /** With sources from register 10 on and the destination 13, of either file. */
    int encode(int rm) {
        int encoded = word | DESTINATION << 7 | SOURCE << 15 | (rounds ? rm << 12 : 0);
        if (sources.length() > 1) {
            encoded |= SOURCE + 1 << 20;
        }
        if (sources.length() > 2) {
            encoded |= SOURCE + 2 << 27;
        }
        return encoded;
    }

    /** The instructions of I and M between two registers. */
    static List<Operation> integer() {
        List<Operation> ops = new ArrayList<>();
        String[] base = {"add", "sll", "slt", "sltu", "xor", "srl", "or", "and"};
        String[] multiply = {"mul", "mulh", "mulhsu", "mulhu", "div", "divu", "rem", "remu"};
        for (int funct3 = 0; funct3 < 8; funct3++) {
            integer(ops, base[funct3], Rv64.OP, funct3, 0);
            integer(ops, multiply[funct3], Rv64.OP, funct3, 1);
            if (funct3 == 0 || funct3 == 1 || funct3 == 5) {
                integer(ops, base[funct3] + "w", Rv64.OP_32, funct3, 0);
            }
            if (funct3 == 0 || funct3 >= 4) {
                integer(ops, multiply[funct3] + "w", Rv64.OP_32, funct3, 1);
            }
        }
        integer(ops, "sub", Rv64.OP, 0, 0x20);
        integer(ops, "sra", Rv64.OP, 5, 0x20);
        integer(ops, "subw", Rv64.OP_32, 0, 0x20);
        integer(ops, "sraw", Rv64.OP_32, 5, 0x20);
        return ops;
    }

    private static void integer(
            List<Operation> ops, String name, int opcode, int funct3, int funct7) {
        int word = Rv64.r(opcode, funct3, funct7, 0, 0, 0);
        ops.add(new Operation(name, Format.LONG, "XX", 'X', word, false, null));
    }

    /** Every instruction of F and D but loads and stores. */
    static List<Operation> floating() {
        List<Operation> ops = new ArrayList<>();
        arithmetic(ops);
        fused(ops);
        choices(ops);
        conversions(ops);
        moves(ops);
        return ops;
    }

    private static void arithmetic(List<Operation> ops) {
        single(ops, "fadd", "FF", 'F', 0x00, -1, FloatingPoint::faddS);
        single(ops, "fsub", "FF", 'F', 0x04, -1, FloatingPoint::fsubS);
        single(ops, "fmul", "FF", 'F', 0x08, -1, FloatingPoint::fmulS);
        single(ops, "fdiv", "FF", 'F', 0x0c, -1, FloatingPoint::fdivS);
        single(ops, "fsqrt", "F", 'F', 0x2c, -1, (fp, a, b, rm) -> fp.fsqrtS(a, rm));
        twice(ops, "fadd", "FF", 'F', 0x01, -1, FloatingPoint::faddD);
        twice(ops, "fsub", "FF", 'F', 0x05, -1, FloatingPoint::fsubD);
        twice(ops, "fmul", "FF", 'F', 0x09, -1, FloatingPoint::fmulD);
        twice(ops, "fdiv", "FF", 'F', 0x0d, -1, FloatingPoint::fdivD);
        twice(ops, "fsqrt", "F", 'F', 0x2d, -1, (fp, a, b, rm) -> fp.fsqrtD(a, rm));
    }

    private static void fused(List<Operation> ops) {
        fused(ops, "fmadd", Rv64.MADD, FloatingPoint::fmaddS, FloatingPoint::fmaddD);
        fused(ops, "fmsub", Rv64.MSUB, FloatingPoint::fmsubS, FloatingPoint::fmsubD);
        fused(ops, "fnmsub", Rv64.NMSUB, FloatingPoint::fnmsubS, FloatingPoint::fnmsubD);
        fused(ops, "fnmadd", Rv64.NMADD, FloatingPoint::fnmaddS, FloatingPoint::fnmaddD);
    }

    @FunctionalInterface
    private interface FusedSingle {
        int apply(FloatingPoint fp, int a, int b, int c, int rm);
    }

    private static void fused(
            List<Operation> ops, String name, int opcode, FusedSingle s, Evaluation d) {
        Evaluation boxed =
                (fp, a, b, c, rm) ->
                        FloatingPoint.box(s.apply(fp, unbox(a), unbox(b), unbox(c), rm));
        ops.add(new Operation(name + ".s", Format.SINGLE, "FFF", 'F', opcode, true, boxed));
        ops.add(new Operation(name + ".d", Format.DOUBLE, "FFF", 'F', opcode | 1 << 25, true, d));
    }

    private static void choices(List<Operation> ops) {
        single(ops, "fsgnj", "FF", 'F', 0x10, 0, (fp, a, b, rm) -> FloatingPoint.fsgnjS(a, b));
        single(ops, "fsgnjn", "FF", 'F', 0x10, 1, (fp, a, b, rm) -> FloatingPoint.fsgnjnS(a, b));
        single(ops, "fsgnjx", "FF", 'F', 0x10, 2, (fp, a, b, rm) -> FloatingPoint.fsgnjxS(a, b));
        single(ops, "fmin", "FF", 'F', 0x14, 0, (fp, a, b, rm) -> fp.fminS(a, b));
        single(ops, "fmax", "FF", 'F', 0x14, 1, (fp, a, b, rm) -> fp.fmaxS(a, b));
        single(ops, "feq", "FF", 'X', 0x50, 2, (fp, a, b, rm) -> fp.feqS(a, b));
        single(ops, "flt", "FF", 'X', 0x50, 1, (fp, a, b, rm) -> fp.fltS(a, b));
        single(ops, "fle", "FF", 'X', 0x50, 0, (fp, a, b, rm) -> fp.fleS(a, b));
        single(ops, "fclass", "F", 'X', 0x70, 1, (fp, a, b, rm) -> FloatingPoint.fclassS(a));
        twice(ops, "fsgnj", "FF", 'F', 0x11, 0, (fp, a, b, rm) -> FloatingPoint.fsgnjD(a, b));
        twice(ops, "fsgnjn", "FF", 'F', 0x11, 1, (fp, a, b, rm) -> FloatingPoint.fsgnjnD(a, b));
        twice(ops, "fsgnjx", "FF", 'F', 0x11, 2, (fp, a, b, rm) -> FloatingPoint.fsgnjxD(a, b));
        twice(ops, "fmin", "FF", 'F', 0x15, 0, (fp, a, b, rm) -> fp.fminD(a, b));
        twice(ops, "fmax", "FF", 'F', 0x15, 1, (fp, a, b, rm) -> fp.fmaxD(a, b));
        twice(ops, "feq", "FF", 'X', 0x51, 2, (fp, a, b, rm) -> fp.feqD(a, b));
        twice(ops, "flt", "FF", 'X', 0x51, 1, (fp, a, b, rm) -> fp.fltD(a, b));
        twice(ops, "fle", "FF", 'X', 0x51, 0, (fp, a, b, rm) -> fp.fleD(a, b));
        twice(ops, "fclass", "F", 'X', 0x71, 1, (fp, a, b, rm) -> FloatingPoint.fclassD(a));
    }

    private static void conversions(List<Operation> ops) {
        Format s = Format.SINGLE;
        Format d = Format.DOUBLE;
        Format w = Format.WORD;
        Format l = Format.LONG;
        to(ops, "fcvt.w.s", s, 0x60, 0, (fp, a, b, c, rm) -> fp.fcvtWS(unbox(a), rm));
        to(ops, "fcvt.wu.s", s, 0x60, 1, (fp, a, b, c, rm) -> fp.fcvtWuS(unbox(a), rm));
        to(ops, "fcvt.l.s", s, 0x60, 2, (fp, a, b, c, rm) -> fp.fcvtLS(unbox(a), rm));
        to(ops, "fcvt.lu.s", s, 0x60, 3, (fp, a, b, c, rm) -> fp.fcvtLuS(unbox(a), rm));
        to(ops, "fcvt.w.d", d, 0x61, 0, (fp, a, b, c, rm) -> fp.fcvtWD(a, rm));
        to(ops, "fcvt.wu.d", d, 0x61, 1, (fp, a, b, c, rm) -> fp.fcvtWuD(a, rm));
        to(ops, "fcvt.l.d", d, 0x61, 2, (fp, a, b, c, rm) -> fp.fcvtLD(a, rm));
        to(ops, "fcvt.lu.d", d, 0x61, 3, (fp, a, b, c, rm) -> fp.fcvtLuD(a, rm));
        from(ops, "fcvt.s.w", w, 0x68, 0, (fp, a, b, c, rm) -> box(fp.fcvtSW((int) a, rm)));
        from(ops, "fcvt.s.wu", w, 0x68, 1, (fp, a, b, c, rm) -> box(fp.fcvtSWu((int) a, rm)));
        from(ops, "fcvt.s.l", l, 0x68, 2, (fp, a, b, c, rm) -> box(fp.fcvtSL(a, rm)));
        from(ops, "fcvt.s.lu", l, 0x68, 3, (fp, a, b, c, rm) -> box(fp.fcvtSLu(a, rm)));
        from(ops, "fcvt.d.w", w, 0x69, 0, (fp, a, b, c, rm) -> fp.fcvtDW((int) a, rm));
        from(ops, "fcvt.d.wu", w, 0x69, 1, (fp, a, b, c, rm) -> fp.fcvtDWu((int) a, rm));
        from(ops, "fcvt.d.l", l, 0x69, 2, (fp, a, b, c, rm) -> fp.fcvtDL(a, rm));
        from(ops, "fcvt.d.lu", l, 0x69, 3, (fp, a, b, c, rm) -> fp.fcvtDLu(a, rm));
        Evaluation narrow = (fp, a, b, c, rm) -> box(fp.fcvtSD(a, rm));
        ops.add(new Operation("fcvt.s.d", d, "F", 'F', word(0x20, -1, 1), true, narrow));
        Evaluation widen = (fp, a, b, c, rm) -> fp.fcvtDS(unbox(a));
        ops.add(new Operation("fcvt.d.s", s, "F", 'F', word(0x21, -1, 0), true, widen));
    }

    private static void moves(List<Operation> ops) {
        Evaluation low = (fp, a, b, c, rm) -> (int) a;
        Evaluation same = (fp, a, b, c, rm) -> a;
        Evaluation boxed = (fp, a, b, c, rm) -> box((int) a);
        ops.add(new Operation("fmv.x.w", Format.SINGLE, "F", 'X', word(0x70, 0, 0), false, low));
        ops.add(new Operation("fmv.x.d", Format.DOUBLE, "F", 'X', word(0x71, 0, 0), false, same));
        ops.add(new Operation("fmv.w.x", Format.LONG, "X", 'F', word(0x78, 0, 0), false, boxed));
        ops.add(new Operation("fmv.d.x", Format.LONG, "X", 'F', word(0x79, 0, 0), false, same));
    }

    private static void single(
            List<Operation> ops,
            String name,
            String sources,
            char destination,
            int funct7,
            int funct3,
            Single s) {
        Evaluation evaluation =
                (fp, a, b, c, rm) -> {
                    int result = s.apply(fp, unbox(a), unbox(b), rm);
                    return destination == 'F' ? box(result) : result;
                };
        int word = word(funct7, funct3, 0);
        boolean rounds = funct3 < 0;
        ops.add(
                new Operation(
                        name + ".s",
                        Format.SINGLE,
                        sources,
                        destination,
                        word,
                        rounds,
                        evaluation));
    }

    private static void twice(
            List<Operation> ops,
            String name,
            String sources,
            char destination,
            int funct7,
            int funct3,
            Double d) {
        Evaluation evaluation = (fp, a, b, c, rm) -> d.apply(fp, a, b, rm);
        int word = word(funct7, funct3, 0);
        boolean rounds = funct3 < 0;
        ops.add(
                new Operation(
                        name + ".d",
                        Format.DOUBLE,
                        sources,
                        destination,
                        word,
                        rounds,
                        evaluation));
    }

    private static void to(
            List<Operation> ops, String name, Format from, int funct7, int rs2, Evaluation e) {
        ops.add(new Operation(name, from, "F", 'X', word(funct7, -1, rs2), true, e));
    }

    private static void from(
            List<Operation> ops, String name, Format from, int funct7, int rs2, Evaluation e) {
        ops.add(new Operation(name, from, "X", 'F', word(funct7, -1, rs2), true, e));
    }

    private static int word(int funct7, int funct3, int rs2) {
        return Rv64.r(Rv64.OP_FP, Math.max(funct3, 0), funct7, 0, 0, rs2);
    }

    private static long box(int single) {
        return FloatingPoint.box(single);
    }

    private static int unbox(long register) {
        return FloatingPoint.unbox(register);
    }
}
