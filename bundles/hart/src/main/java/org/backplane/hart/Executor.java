package org.backplane.hart;

import org.backplane.memory.OffHeap;

/**
 * The interpreter's loop. Belongs to the hart's thread; allocates nothing.
 *
 * <p>The loop's method has to stay under 8,000 bytes of bytecode, inlined callees included, or
 * HotSpot does not compile it. It calls nothing that HotSpot would inline and that has branches of
 * its own: what such a callee was never seen to do would invalidate the code of the whole loop when
 * it first does it. {@link Units#execute} is too large to be inlined; all else that is rare ends
 * the run and is done by {@link #execute}.
 *
 * <p>Guest loads and stores are plain accesses of the guest's width. The compiler cannot hoist one
 * out of a guest's loop: each instruction is one turn of this loop, whose address comes out of the
 * registers' array, and between any two turns stand stores and calls that it cannot see through.
 */
final class Executor {
    private static final long[] NO_CODE = {};

    private static final long ALIGN_1 = ~Tlb.PAGE_MASK;
    private static final long ALIGN_2 = ALIGN_1 | 1;
    private static final long ALIGN_4 = ALIGN_1 | 3;
    private static final long ALIGN_8 = ALIGN_1 | 7;

    // Why a run ended.
    private static final int DONE = 0;
    private static final int TRAPPED = 1;
    private static final int NOT_FETCHED = 2;
    private static final int NOT_DECODED = 3;
    private static final int CROSSING = 4;

    private final Registers registers;
    private final Mmu mmu;
    private final Csrs csrs;
    private final Units units;
    private final Trap trap;

    /** In the last place, an instruction that lies in two pages. */
    private final long[] crossing = new long[CodePage.SLOTS];

    Executor(Registers registers, Mmu mmu, Csrs csrs, Units units, Trap trap) {
        this.registers = registers;
        this.mmu = mmu;
        this.csrs = csrs;
        this.units = units;
        this.trap = trap;
    }

    /**
     * Executes up to a number of instructions, from {@link Registers#pc} on; fewer where one
     * changes the context, reaches a device, waits, traps or has to be decoded. A trap enters the
     * guest's handler.
     */
    void execute(int limit) {
        try {
            int outcome = run(limit, NO_CODE);
            if (outcome == CROSSING) {
                crossing[CodePage.SLOTS - 1] = Decoder.decode(instruction(), CodePage.SLOTS - 1);
                outcome = run(1, crossing);
            }
            if (outcome == NOT_FETCHED) {
                mmu.code(registers.pc);
            } else if (outcome == NOT_DECODED) {
                mmu.bufferedCode(registers.pc).decode(slot(registers.pc));
            } else if (outcome == TRAPPED) {
                if (trap.cause() == Trap.ILLEGAL_INSTRUCTION) {
                    trap.of(Trap.ILLEGAL_INSTRUCTION, instruction() & 0xffffffffL);
                }
                csrs.enterHandler(trap.cause(), trap.value());
            }
        } catch (Trap raised) {
            csrs.enterHandler(raised.cause(), raised.value());
        }
    }

    private static int slot(long pc) {
        return (int) (pc & Tlb.PAGE_MASK) >>> 1;
    }

    /** The bits of the instruction at the pc; traps where its second half cannot be fetched. */
    private int instruction() {
        long pc = registers.pc;
        int slot = slot(pc);
        int word = mmu.bufferedCode(pc).instruction(slot);
        if (slot == CodePage.SLOTS - 1 && !Encoding.compressed(word)) {
            word |= mmu.bufferedCode(pc + 2).half(0) << 16;
        }
        return word;
    }

    /**
     * Executes instructions of pages that are in the code buffer.
     *
     * @param first the page that the pc is in, or {@link #NO_CODE}
     * @return why it ended
     */
    private int run(int limit, long[] first) {
        final long[] x = registers.x;
        final long[] f = registers.f;
        final AddressSpace space = mmu.space();
        final long[] readTags = space.read.tags;
        final long[] readDeltas = space.read.deltas;
        final long[] writeTags = space.write.tags;
        final long[] writeDeltas = space.write.deltas;
        final long[] codeTags = space.code.tags;
        final CodePage[] codePages = space.code.pages;
        final long dataTag = mmu.dataTag();
        final long codeTag = mmu.codeTag();
        final boolean floatDirty = csrs.floatingPointDirty();

        long base = registers.pc & ~Tlb.PAGE_MASK;
        int i = (int) (registers.pc & Tlb.PAGE_MASK) >>> 1;
        long[] code = first;
        int budget = limit;
        int n = limit;
        try {
            for (; n > 0; n--) {
                if (i < 0 || i >= code.length) {
                    long pc = base + 2L * i;
                    base = pc & ~Tlb.PAGE_MASK;
                    i = (int) (pc & Tlb.PAGE_MASK) >>> 1;
                    int entry = (int) (base >>> Tlb.PAGE_BITS) & codeTags.length - 1;
                    if (codeTags[entry] != (base | codeTag)) {
                        registers.pc = pc;
                        registers.retire(budget - n);
                        return NOT_FETCHED;
                    }
                    code = codePages[entry].ops;
                }
                long d = code[i];
                int low = (int) d;
                int rd = Op.rd(low);
                int rs1 = Op.rs1(low);
                int rs2 = Op.rs2(low);
                int immediate = (int) (d >> 32);
                long a;
                int s;
                complete:
                {
                    switch (Op.op(low)) {
                        case Op.UNDECODED:
                        case Op.CROSS:
                            registers.pc = base + 2L * i;
                            registers.retire(budget - n);
                            return Op.op(low) == Op.CROSS ? CROSSING : NOT_DECODED;
                        case Op.LI:
                            x[rd] = immediate;
                            break complete;
                        case Op.MV:
                            x[rd] = x[rs1];
                            break complete;
                        case Op.AUIPC:
                            x[rd] = base + immediate;
                            break complete;
                        case Op.J:
                            i += immediate;
                            continue;
                        case Op.JAL:
                            x[rd] = base + 2L * (i + Op.length(low));
                            i += immediate;
                            continue;
                        case Op.JALR:
                            long target = x[rs1] + immediate & ~1L;
                            x[rd] = base + 2L * (i + Op.length(low));
                            if ((target & ~Tlb.PAGE_MASK) != base) {
                                base = target & ~Tlb.PAGE_MASK;
                                code = NO_CODE;
                            }
                            i = (int) (target & Tlb.PAGE_MASK) >>> 1;
                            continue;
                        case Op.BEQ:
                            if (x[rs1] == x[rs2]) {
                                i += immediate;
                                continue;
                            }
                            break complete;
                        case Op.BNE:
                            if (x[rs1] != x[rs2]) {
                                i += immediate;
                                continue;
                            }
                            break complete;
                        case Op.BLT:
                            if (x[rs1] < x[rs2]) {
                                i += immediate;
                                continue;
                            }
                            break complete;
                        case Op.BGE:
                            if (x[rs1] >= x[rs2]) {
                                i += immediate;
                                continue;
                            }
                            break complete;
                        case Op.BLTU:
                            if (Long.compareUnsigned(x[rs1], x[rs2]) < 0) {
                                i += immediate;
                                continue;
                            }
                            break complete;
                        case Op.BGEU:
                            if (Long.compareUnsigned(x[rs1], x[rs2]) >= 0) {
                                i += immediate;
                                continue;
                            }
                            break complete;
                        case Op.LB:
                            a = x[rs1] + immediate;
                            s = (int) (a >>> Tlb.PAGE_BITS) & readTags.length - 1;
                            if (readTags[s] == (a & ALIGN_1 | dataTag)) {
                                x[rd] = OffHeap.getByte(a + readDeltas[s]);
                                break complete;
                            }
                            break;
                        case Op.LH:
                            a = x[rs1] + immediate;
                            s = (int) (a >>> Tlb.PAGE_BITS) & readTags.length - 1;
                            if (readTags[s] == (a & ALIGN_2 | dataTag)) {
                                x[rd] = OffHeap.getShort(a + readDeltas[s]);
                                break complete;
                            }
                            break;
                        case Op.LW:
                            a = x[rs1] + immediate;
                            s = (int) (a >>> Tlb.PAGE_BITS) & readTags.length - 1;
                            if (readTags[s] == (a & ALIGN_4 | dataTag)) {
                                x[rd] = OffHeap.getInt(a + readDeltas[s]);
                                break complete;
                            }
                            break;
                        case Op.LD:
                            a = x[rs1] + immediate;
                            s = (int) (a >>> Tlb.PAGE_BITS) & readTags.length - 1;
                            if (readTags[s] == (a & ALIGN_8 | dataTag)) {
                                x[rd] = OffHeap.getLong(a + readDeltas[s]);
                                break complete;
                            }
                            break;
                        case Op.LBU:
                            a = x[rs1] + immediate;
                            s = (int) (a >>> Tlb.PAGE_BITS) & readTags.length - 1;
                            if (readTags[s] == (a & ALIGN_1 | dataTag)) {
                                x[rd] = OffHeap.getByte(a + readDeltas[s]) & 0xff;
                                break complete;
                            }
                            break;
                        case Op.LHU:
                            a = x[rs1] + immediate;
                            s = (int) (a >>> Tlb.PAGE_BITS) & readTags.length - 1;
                            if (readTags[s] == (a & ALIGN_2 | dataTag)) {
                                x[rd] = OffHeap.getShort(a + readDeltas[s]) & 0xffff;
                                break complete;
                            }
                            break;
                        case Op.LWU:
                            a = x[rs1] + immediate;
                            s = (int) (a >>> Tlb.PAGE_BITS) & readTags.length - 1;
                            if (readTags[s] == (a & ALIGN_4 | dataTag)) {
                                x[rd] = OffHeap.getInt(a + readDeltas[s]) & 0xffffffffL;
                                break complete;
                            }
                            break;
                        case Op.SB:
                            a = x[rs1] + immediate;
                            s = (int) (a >>> Tlb.PAGE_BITS) & writeTags.length - 1;
                            if (writeTags[s] == (a & ALIGN_1 | dataTag)) {
                                OffHeap.putByte(a + writeDeltas[s], (byte) x[rs2]);
                                break complete;
                            }
                            break;
                        case Op.SH:
                            a = x[rs1] + immediate;
                            s = (int) (a >>> Tlb.PAGE_BITS) & writeTags.length - 1;
                            if (writeTags[s] == (a & ALIGN_2 | dataTag)) {
                                OffHeap.putShort(a + writeDeltas[s], (short) x[rs2]);
                                break complete;
                            }
                            break;
                        case Op.SW:
                            a = x[rs1] + immediate;
                            s = (int) (a >>> Tlb.PAGE_BITS) & writeTags.length - 1;
                            if (writeTags[s] == (a & ALIGN_4 | dataTag)) {
                                OffHeap.putInt(a + writeDeltas[s], (int) x[rs2]);
                                break complete;
                            }
                            break;
                        case Op.SD:
                            a = x[rs1] + immediate;
                            s = (int) (a >>> Tlb.PAGE_BITS) & writeTags.length - 1;
                            if (writeTags[s] == (a & ALIGN_8 | dataTag)) {
                                OffHeap.putLong(a + writeDeltas[s], x[rs2]);
                                break complete;
                            }
                            break;
                        case Op.FLW:
                            a = x[rs1] + immediate;
                            s = (int) (a >>> Tlb.PAGE_BITS) & readTags.length - 1;
                            if (floatDirty && readTags[s] == (a & ALIGN_4 | dataTag)) {
                                f[rd] = FloatingPoint.box(OffHeap.getInt(a + readDeltas[s]));
                                break complete;
                            }
                            break;
                        case Op.FLD:
                            a = x[rs1] + immediate;
                            s = (int) (a >>> Tlb.PAGE_BITS) & readTags.length - 1;
                            if (floatDirty && readTags[s] == (a & ALIGN_8 | dataTag)) {
                                f[rd] = OffHeap.getLong(a + readDeltas[s]);
                                break complete;
                            }
                            break;
                        case Op.FSW:
                            a = x[rs1] + immediate;
                            s = (int) (a >>> Tlb.PAGE_BITS) & writeTags.length - 1;
                            if (floatDirty && writeTags[s] == (a & ALIGN_4 | dataTag)) {
                                OffHeap.putInt(a + writeDeltas[s], (int) f[rs2]);
                                break complete;
                            }
                            break;
                        case Op.FSD:
                            a = x[rs1] + immediate;
                            s = (int) (a >>> Tlb.PAGE_BITS) & writeTags.length - 1;
                            if (floatDirty && writeTags[s] == (a & ALIGN_8 | dataTag)) {
                                OffHeap.putLong(a + writeDeltas[s], f[rs2]);
                                break complete;
                            }
                            break;
                        case Op.ADDI:
                            x[rd] = x[rs1] + immediate;
                            break complete;
                        case Op.SLTI:
                            x[rd] = x[rs1] < immediate ? 1 : 0;
                            break complete;
                        case Op.SLTIU:
                            x[rd] = Long.compareUnsigned(x[rs1], immediate) < 0 ? 1 : 0;
                            break complete;
                        case Op.XORI:
                            x[rd] = x[rs1] ^ immediate;
                            break complete;
                        case Op.ORI:
                            x[rd] = x[rs1] | immediate;
                            break complete;
                        case Op.ANDI:
                            x[rd] = x[rs1] & immediate;
                            break complete;
                        case Op.SLLI:
                            x[rd] = x[rs1] << immediate;
                            break complete;
                        case Op.SRLI:
                            x[rd] = x[rs1] >>> immediate;
                            break complete;
                        case Op.SRAI:
                            x[rd] = x[rs1] >> immediate;
                            break complete;
                        case Op.ADD:
                            x[rd] = x[rs1] + x[rs2];
                            break complete;
                        case Op.SUB:
                            x[rd] = x[rs1] - x[rs2];
                            break complete;
                        case Op.SLL:
                            x[rd] = x[rs1] << x[rs2];
                            break complete;
                        case Op.SLT:
                            x[rd] = x[rs1] < x[rs2] ? 1 : 0;
                            break complete;
                        case Op.SLTU:
                            x[rd] = Long.compareUnsigned(x[rs1], x[rs2]) < 0 ? 1 : 0;
                            break complete;
                        case Op.XOR:
                            x[rd] = x[rs1] ^ x[rs2];
                            break complete;
                        case Op.SRL:
                            x[rd] = x[rs1] >>> x[rs2];
                            break complete;
                        case Op.SRA:
                            x[rd] = x[rs1] >> x[rs2];
                            break complete;
                        case Op.OR:
                            x[rd] = x[rs1] | x[rs2];
                            break complete;
                        case Op.AND:
                            x[rd] = x[rs1] & x[rs2];
                            break complete;
                        case Op.ADDIW:
                            x[rd] = (int) x[rs1] + immediate;
                            break complete;
                        case Op.SLLIW:
                            x[rd] = (int) x[rs1] << immediate;
                            break complete;
                        case Op.SRLIW:
                            x[rd] = (int) x[rs1] >>> immediate;
                            break complete;
                        case Op.SRAIW:
                            x[rd] = (int) x[rs1] >> immediate;
                            break complete;
                        case Op.ADDW:
                            x[rd] = (int) x[rs1] + (int) x[rs2];
                            break complete;
                        case Op.SUBW:
                            x[rd] = (int) x[rs1] - (int) x[rs2];
                            break complete;
                        case Op.SLLW:
                            x[rd] = (int) x[rs1] << (int) x[rs2];
                            break complete;
                        case Op.SRLW:
                            x[rd] = (int) x[rs1] >>> (int) x[rs2];
                            break complete;
                        case Op.SRAW:
                            x[rd] = (int) x[rs1] >> (int) x[rs2];
                            break complete;
                        case Op.MUL:
                            x[rd] = x[rs1] * x[rs2];
                            break complete;
                        case Op.MULW:
                            x[rd] = (int) x[rs1] * (int) x[rs2];
                            break complete;
                        case Op.MULHU:
                            x[rd] = multiplyHighUnsigned(x[rs1], x[rs2]);
                            break complete;
                        case Op.FENCE_LIGHT:
                            OffHeap.loadFence();
                            OffHeap.storeFence();
                            break complete;
                        case Op.FENCE_FULL:
                            OffHeap.fullFence();
                            break complete;
                        default:
                            break;
                    }
                    registers.pc = base + 2L * i;
                    registers.retire(budget - n);
                    budget = n;
                    int outcome = units.execute(d);
                    if (outcome != Units.NEXT) {
                        registers.retire(1);
                        if (outcome == Units.END_AFTER) {
                            registers.pc += 2L * Op.length(low);
                        }
                        return DONE;
                    }
                }
                i += Op.length(low);
            }
            registers.pc = base + 2L * i;
            registers.retire(budget);
            return DONE;
        } catch (Trap raised) {
            registers.pc = base + 2L * i;
            registers.retire(budget - n);
            return TRAPPED;
        }
    }

    private static long multiplyHighUnsigned(long a, long b) {
        return Math.multiplyHigh(a, b) + (a >> 63 & b) + (b >> 63 & a);
    }
}
