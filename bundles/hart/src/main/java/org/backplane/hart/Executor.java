package org.backplane.hart;

import java.util.Arrays;
import org.backplane.memory.OffHeap;

/**
 * The interpreter's loop. Belongs to the hart's thread; allocates nothing.
 *
 * <p>The loop's method has to stay under 8,000 bytes of bytecode, inlined callees included, or
 * HotSpot does not compile it; {@link Units} takes what is rare.
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

    private final Registers registers;
    private final Mmu mmu;
    private final Csrs csrs;
    private final Units units;

    /** One instruction that lies in two pages; elsewhere {@link Op#LOOK_UP}. */
    private final long[] crossing = new long[CodePage.SLOTS];

    Executor(Registers registers, Mmu mmu, Csrs csrs, Units units) {
        this.registers = registers;
        this.mmu = mmu;
        this.csrs = csrs;
        this.units = units;
        Arrays.fill(crossing, Op.LOOK_UP);
    }

    /** Decodes the instruction that starts in a page's last halfword. */
    private long[] cross(CodePage page, long base) {
        int low = page.half(CodePage.SLOTS - 1);
        int high = mmu.bufferedCode(base + CodePage.SIZE).half(0);
        crossing[CodePage.SLOTS - 1] = Decoder.decode(high << 16 | low, CodePage.SLOTS - 1);
        return crossing;
    }

    /**
     * Executes up to a number of instructions, from {@link Registers#pc} on; fewer where one
     * changes the context, reaches a device, waits or traps. A trap enters the guest's handler.
     */
    void run(int limit) {
        final long[] x = registers.x;
        final long[] f = registers.f;
        final AddressSpace space = mmu.space();
        final long[] readTags = space.read.tags;
        final long[] readDeltas = space.read.deltas;
        final long[] writeTags = space.write.tags;
        final long[] writeDeltas = space.write.deltas;
        final long[] codeTags = space.code.tags;
        final long dataTag = mmu.dataTag();
        final long codeTag = mmu.codeTag();
        final boolean floatDirty = csrs.floatingPointDirty();

        long base = registers.pc & ~Tlb.PAGE_MASK;
        int i = (int) (registers.pc & Tlb.PAGE_MASK) >>> 1;
        CodePage page = null;
        long[] code = NO_CODE;
        int budget = limit;
        int n = limit;
        try {
            for (; n > 0; n--) {
                if (i < 0 || i >= code.length) {
                    long pc = base + 2L * i;
                    base = pc & ~Tlb.PAGE_MASK;
                    i = (int) (pc & Tlb.PAGE_MASK) >>> 1;
                    int entry = (int) (base >>> Tlb.PAGE_BITS) & codeTags.length - 1;
                    page =
                            codeTags[entry] == (base | codeTag)
                                    ? space.code.pages[entry]
                                    : mmu.code(pc);
                    code = page.ops;
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
                            page.decode(i);
                            n++;
                            continue;
                        case Op.LOOK_UP:
                            code = NO_CODE;
                            n++;
                            continue;
                        case Op.CROSS:
                            code = cross(page, base);
                            n++;
                            continue;
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
                        case Op.DIVU:
                            x[rd] = x[rs2] == 0 ? -1 : Long.divideUnsigned(x[rs1], x[rs2]);
                            break complete;
                        case Op.REMU:
                            x[rd] = x[rs2] == 0 ? x[rs1] : Long.remainderUnsigned(x[rs1], x[rs2]);
                            break complete;
                        case Op.DIVUW:
                            x[rd] = divideUnsigned((int) x[rs1], (int) x[rs2]);
                            break complete;
                        case Op.REMUW:
                            x[rd] = remainderUnsigned((int) x[rs1], (int) x[rs2]);
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
                        return;
                    }
                }
                i += Op.length(low);
            }
            registers.pc = base + 2L * i;
            registers.retire(budget);
        } catch (Trap trap) {
            registers.pc = base + 2L * i;
            registers.retire(budget - n);
            long value = trap.value();
            if (trap.cause() == Trap.ILLEGAL_INSTRUCTION && page != null) {
                value = page.instruction(i) & 0xffffffffL;
            }
            csrs.enterHandler(trap.cause(), value);
        }
    }

    private static long multiplyHighUnsigned(long a, long b) {
        return Math.multiplyHigh(a, b) + (a >> 63 & b) + (b >> 63 & a);
    }

    private static int divideUnsigned(int a, int b) {
        return b == 0 ? -1 : Integer.divideUnsigned(a, b);
    }

    private static int remainderUnsigned(int a, int b) {
        return b == 0 ? a : Integer.remainderUnsigned(a, b);
    }
}
