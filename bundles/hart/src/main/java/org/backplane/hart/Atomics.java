package org.backplane.hart;

import org.backplane.memory.OffHeap;

/**
 * The A extension. AMOs and SC are compare-and-set on the host's memory, so that they are atomic to
 * other harts and to devices; each is a full fence, whatever aq and rl say. Belongs to the hart's
 * thread.
 *
 * <p>SC succeeds if the reserved bytes hold what LR loaded. A value that another hart changed and
 * changed back in between goes unnoticed, where the atomicity axiom (unprivileged ISA, chapter
 * "RVWMO") wants a failure: exact reservations would have every store look for them. A
 * compare-and-swap, which is what Linux and compilers make of LR and SC, cannot tell; a program
 * that loads from elsewhere between the two, and trusts SC to notice, can.
 */
final class Atomics {
    private static final long NONE = -1;

    private final Registers registers;
    private final LoadStore memory;
    private final Trap trap;

    /** Virtual address of the reservation. */
    private long reserved = NONE;

    private long reservedHost;
    private int reservedWidth;
    private long reservedValue;

    Atomics(Registers registers, LoadStore memory, Trap trap) {
        this.registers = registers;
        this.memory = memory;
        this.trap = trap;
    }

    /** Forgets the reservation. */
    void reset() {
        reserved = NONE;
    }

    void execute(int op, int rd, int rs1, int rs2) {
        long address = registers.x[rs1];
        boolean word = op < Op.LR_D;
        int width = word ? Integer.BYTES : Long.BYTES;
        boolean load = op == Op.LR_W || op == Op.LR_D;
        if ((address & width - 1) != 0) {
            throw trap.of(load ? Trap.LOAD_MISALIGNED : Trap.STORE_MISALIGNED, address);
        }
        long operand = registers.x[rs2];
        long host = memory.atomic(address, load ? Mmu.LOAD : Mmu.STORE);
        switch (op) {
            case Op.LR_W:
            case Op.LR_D:
                registers.x[rd] = reserve(address, host, width);
                break;
            case Op.SC_W:
            case Op.SC_D:
                registers.x[rd] = storeConditional(address, host, width, operand) ? 0 : 1;
                break;
            default:
                registers.x[rd] =
                        word
                                ? modifyInt(op, host, (int) operand)
                                : modifyLong(op - Op.LR_D + Op.LR_W, host, operand);
                break;
        }
    }

    private long reserve(long address, long host, int width) {
        reserved = address;
        reservedHost = host;
        reservedWidth = width;
        reservedValue =
                width == Integer.BYTES
                        ? OffHeap.getIntVolatile(host)
                        : OffHeap.getLongVolatile(host);
        return reservedValue;
    }

    private boolean storeConditional(long address, long host, int width, long value) {
        boolean holds = reserved == address && reservedHost == host && reservedWidth == width;
        reserved = NONE;
        if (!holds) {
            return false;
        }
        return width == Integer.BYTES
                ? OffHeap.compareAndSetInt(host, (int) reservedValue, (int) value)
                : OffHeap.compareAndSetLong(host, reservedValue, value);
    }

    private static long modifyInt(int op, long host, int operand) {
        if (op == Op.AMOADD_W) {
            return OffHeap.getAndAddInt(host, operand);
        }
        if (op == Op.AMOSWAP_W) {
            return OffHeap.getAndSetInt(host, operand);
        }
        for (; ; ) {
            int old = OffHeap.getIntVolatile(host);
            // Sign extension keeps the order of signed and of unsigned words.
            if (OffHeap.compareAndSetInt(host, old, (int) combine(op, old, operand))) {
                return old;
            }
        }
    }

    private static long modifyLong(int op, long host, long operand) {
        if (op == Op.AMOADD_W) {
            return OffHeap.getAndAddLong(host, operand);
        }
        if (op == Op.AMOSWAP_W) {
            return OffHeap.getAndSetLong(host, operand);
        }
        for (; ; ) {
            long old = OffHeap.getLongVolatile(host);
            if (OffHeap.compareAndSetLong(host, old, combine(op, old, operand))) {
                return old;
            }
        }
    }

    private static long combine(int op, long old, long operand) {
        switch (op) {
            case Op.AMOXOR_W:
                return old ^ operand;
            case Op.AMOAND_W:
                return old & operand;
            case Op.AMOOR_W:
                return old | operand;
            case Op.AMOMIN_W:
                return Math.min(old, operand);
            case Op.AMOMAX_W:
                return Math.max(old, operand);
            case Op.AMOMINU_W:
                return Long.compareUnsigned(old, operand) < 0 ? old : operand;
            default:
                return Long.compareUnsigned(old, operand) > 0 ? old : operand;
        }
    }
}
