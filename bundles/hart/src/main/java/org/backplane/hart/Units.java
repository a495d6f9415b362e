package org.backplane.hart;

/**
 * Executes what {@link Executor}'s loop does not: the rare, and what misses its buffers. Belongs to
 * the hart's thread.
 */
final class Units {
    /** The run goes on after the instruction. */
    static final int NEXT = 0;

    /** The instruction is complete and the run ends after it. */
    static final int END_AFTER = 1;

    /** The run ends, and {@link Registers#pc} already says where the hart goes on. */
    static final int END = 2;

    private final Registers registers;
    private final LoadStore memory;
    private final Atomics atomics;
    private final FloatUnit floats;
    private final SystemUnit system;
    private final Csrs csrs;

    Units(
            Registers registers,
            LoadStore memory,
            Atomics atomics,
            FloatUnit floats,
            SystemUnit system,
            Csrs csrs) {
        this.registers = registers;
        this.memory = memory;
        this.atomics = atomics;
        this.floats = floats;
        this.system = system;
        this.csrs = csrs;
    }

    /**
     * Executes one instruction; {@link Registers#pc} is its address. One method on purpose: at over
     * 325 bytes HotSpot does not inline it into {@link Executor}'s loop.
     *
     * @throws Trap it is not complete, and nothing of it happened
     */
    int execute(long decoded) {
        long[] x = registers.x;
        int low = (int) decoded;
        int op = Op.op(low);
        int rd = Op.rd(low);
        int rs1 = Op.rs1(low);
        int rs2 = Op.rs2(low);
        int immediate = Op.immediate(decoded);
        switch (op) {
            case Op.LB:
                x[rd] = (byte) memory.load(x[rs1] + immediate, 1);
                break;
            case Op.LH:
                x[rd] = (short) memory.load(x[rs1] + immediate, 2);
                break;
            case Op.LW:
                x[rd] = (int) memory.load(x[rs1] + immediate, 4);
                break;
            case Op.LD:
                x[rd] = memory.load(x[rs1] + immediate, 8);
                break;
            case Op.LBU:
                x[rd] = memory.load(x[rs1] + immediate, 1);
                break;
            case Op.LHU:
                x[rd] = memory.load(x[rs1] + immediate, 2);
                break;
            case Op.LWU:
                x[rd] = memory.load(x[rs1] + immediate, 4);
                break;
            case Op.SB:
                memory.store(x[rs1] + immediate, 1, x[rs2]);
                break;
            case Op.SH:
                memory.store(x[rs1] + immediate, 2, x[rs2]);
                break;
            case Op.SW:
                memory.store(x[rs1] + immediate, 4, x[rs2]);
                break;
            case Op.SD:
                memory.store(x[rs1] + immediate, 8, x[rs2]);
                break;
            case Op.FLW:
                floats.require();
                registers.f[rd] = FloatingPoint.box((int) memory.load(x[rs1] + immediate, 4));
                csrs.dirtyFloatingPoint();
                break;
            case Op.FLD:
                floats.require();
                registers.f[rd] = memory.load(x[rs1] + immediate, 8);
                csrs.dirtyFloatingPoint();
                break;
            case Op.FSW:
                floats.require();
                memory.store(x[rs1] + immediate, 4, registers.f[rs2]);
                break;
            case Op.FSD:
                floats.require();
                memory.store(x[rs1] + immediate, 8, registers.f[rs2]);
                break;
            case Op.MULH:
                x[rd] = Math.multiplyHigh(x[rs1], x[rs2]);
                break;
            case Op.MULHSU:
                x[rd] = Math.multiplyHigh(x[rs1], x[rs2]) + (x[rs2] < 0 ? x[rs1] : 0);
                break;
            case Op.DIV:
                x[rd] = x[rs2] == 0 ? -1 : x[rs1] / x[rs2];
                break;
            case Op.DIVU:
                x[rd] = x[rs2] == 0 ? -1 : Long.divideUnsigned(x[rs1], x[rs2]);
                break;
            case Op.REM:
                x[rd] = x[rs2] == 0 ? x[rs1] : x[rs1] % x[rs2];
                break;
            case Op.REMU:
                x[rd] = x[rs2] == 0 ? x[rs1] : Long.remainderUnsigned(x[rs1], x[rs2]);
                break;
            case Op.DIVW:
                x[rd] = divide((int) x[rs1], (int) x[rs2]);
                break;
            case Op.DIVUW:
                x[rd] = divideUnsigned((int) x[rs1], (int) x[rs2]);
                break;
            case Op.REMW:
                x[rd] = remainder((int) x[rs1], (int) x[rs2]);
                break;
            case Op.REMUW:
                x[rd] = remainderUnsigned((int) x[rs1], (int) x[rs2]);
                break;
            case Op.ILLEGAL:
            case Op.ECALL:
            case Op.EBREAK:
            case Op.SRET:
            case Op.WFI:
            case Op.SFENCE_VMA:
            case Op.FENCE_I:
            case Op.PAUSE:
                system.execute(op, low);
                return END;
            case Op.CSRRW:
            case Op.CSRRS:
            case Op.CSRRC:
            case Op.CSRRWI:
            case Op.CSRRSI:
            case Op.CSRRCI:
                return system.csr(decoded) ? END_AFTER : NEXT;
            default:
                if (op <= Op.LAST_ATOMIC) {
                    atomics.execute(op, rd, rs1, rs2);
                    return NEXT;
                }
                boolean wasDirty = csrs.floatingPointDirty();
                floats.execute(op, decoded);
                return wasDirty ? NEXT : END_AFTER;
        }
        return memory.reachedDevice() ? END_AFTER : NEXT;
    }

    // The M extension's corner cases: division by zero and overflow do not trap (chapter 7).

    private static int divide(int a, int b) {
        return b == 0 ? -1 : a / b;
    }

    private static int divideUnsigned(int a, int b) {
        return b == 0 ? -1 : Integer.divideUnsigned(a, b);
    }

    private static int remainder(int a, int b) {
        return b == 0 ? a : a % b;
    }

    private static int remainderUnsigned(int a, int b) {
        return b == 0 ? a : Integer.remainderUnsigned(a, b);
    }
}
