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
     * Executes one instruction; {@link Registers#pc} is its address.
     *
     * @throws Trap it is not complete, and nothing of it happened
     */
    int execute(long decoded) {
        int low = (int) decoded;
        int op = Op.op(low);
        if (op <= Op.LAST_INLINE) {
            access(op, decoded);
            return memory.reachedDevice() ? END_AFTER : NEXT;
        }
        if (op <= Op.LAST_INTEGER) {
            registers.x[Op.rd(low)] =
                    divide(op, registers.x[Op.rs1(low)], registers.x[Op.rs2(low)]);
            return NEXT;
        }
        if (op <= Op.LAST_SYSTEM) {
            if (op >= Op.CSRRW) {
                return system.csr(decoded) ? END_AFTER : NEXT;
            }
            system.execute(op, low);
            return END;
        }
        if (op <= Op.LAST_ATOMIC) {
            atomics.execute(op, Op.rd(low), Op.rs1(low), Op.rs2(low));
            return NEXT;
        }
        boolean wasDirty = csrs.floatingPointDirty();
        floats.execute(op, decoded);
        return wasDirty ? NEXT : END_AFTER;
    }

    private void access(int op, long decoded) {
        int low = (int) decoded;
        long address = registers.x[Op.rs1(low)] + Op.immediate(decoded);
        int rd = Op.rd(low);
        long[] x = registers.x;
        switch (op) {
            case Op.LB:
                x[rd] = (byte) memory.load(address, 1);
                break;
            case Op.LH:
                x[rd] = (short) memory.load(address, 2);
                break;
            case Op.LW:
                x[rd] = (int) memory.load(address, 4);
                break;
            case Op.LD:
                x[rd] = memory.load(address, 8);
                break;
            case Op.LBU:
                x[rd] = memory.load(address, 1);
                break;
            case Op.LHU:
                x[rd] = memory.load(address, 2);
                break;
            case Op.LWU:
                x[rd] = memory.load(address, 4);
                break;
            case Op.SB:
                memory.store(address, 1, x[Op.rs2(low)]);
                break;
            case Op.SH:
                memory.store(address, 2, x[Op.rs2(low)]);
                break;
            case Op.SW:
                memory.store(address, 4, x[Op.rs2(low)]);
                break;
            case Op.SD:
                memory.store(address, 8, x[Op.rs2(low)]);
                break;
            default:
                accessFloat(op, address, low);
                break;
        }
    }

    private void accessFloat(int op, long address, int low) {
        floats.require();
        switch (op) {
            case Op.FLW:
                registers.f[Op.rd(low)] = FloatingPoint.box((int) memory.load(address, 4));
                csrs.dirtyFloatingPoint();
                break;
            case Op.FLD:
                registers.f[Op.rd(low)] = memory.load(address, 8);
                csrs.dirtyFloatingPoint();
                break;
            case Op.FSW:
                memory.store(address, 4, registers.f[Op.rs2(low)]);
                break;
            case Op.FSD:
                memory.store(address, 8, registers.f[Op.rs2(low)]);
                break;
            default:
                throw new AssertionError("operation " + op + " is executed inline");
        }
    }

    /** The M extension's corner cases: division by zero and overflow do not trap (chapter 7). */
    private static long divide(int op, long a, long b) {
        switch (op) {
            case Op.MULH:
                return Math.multiplyHigh(a, b);
            case Op.MULHSU:
                return Math.multiplyHigh(a, b) + (b < 0 ? a : 0);
            case Op.DIV:
                return b == 0 ? -1 : a / b;
            case Op.REM:
                return b == 0 ? a : a % b;
            case Op.DIVW:
                return (int) b == 0 ? -1 : (int) a / (int) b;
            case Op.REMW:
                return (int) b == 0 ? (int) a : (int) a % (int) b;
            default:
                throw new AssertionError("operation " + op + " is executed inline");
        }
    }
}
