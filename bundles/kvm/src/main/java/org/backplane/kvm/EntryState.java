package org.backplane.kvm;

import static org.backplane.kvm.KvmAbi.*;

import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.X86Entry;

/** Turns the state in which a processor begins into KVM's registers. */
final class EntryState {
    /**
     * CR0: protection, extension type, numeric error, paging (Intel SDM, volume 3, section 2.5).
     */
    private static final long PE = 1;

    private static final long ET = 1 << 4;
    private static final long NE = 1 << 5;
    private static final long PG = 1L << 31;

    /** CR4. */
    private static final long PAE = 1 << 5;

    /** IA32_EFER: long mode on and active. */
    private static final long LONG_MODE = 1 << 8 | 1 << 10;

    /** RFLAGS bit 1 is always one; all else, interrupts too, is off. */
    private static final long FLAGS = 2;

    /** Segment types: code, executable and readable; data, writable; both accessed. */
    private static final int CODE = 0xb;

    private static final int DATA = 3;
    private static final int BUSY_TASK = 0xb;
    private static final int TASK_LIMIT = 0x67;

    private static final int[] DATA_SEGMENTS = {SREGS_DS, SREGS_ES, SREGS_FS, SREGS_GS, SREGS_SS};

    private EntryState() {}

    /**
     * @param state of a processor as it was made: what an entry does not say stays
     */
    static void enter(X86Entry entry, VcpuState state) throws HypervisorException {
        try (Struct registers = Struct.of(REGS_BYTES);
                Struct system = state.systemRegisters()) {
            registers.u64(REGS_RFLAGS, FLAGS);
            table(system, SREGS_IDT, X86Entry.Table.NONE);
            if (entry instanceof X86Entry.LongMode mode) {
                registers
                        .u64(REGS_RIP, mode.rip())
                        .u64(REGS_RSI, mode.rsi())
                        .u64(REGS_RSP, mode.rsp());
                flat(system, true);
                table(system, SREGS_GDT, mode.gdt());
                system.u64(SREGS_CR0, PE | ET | NE | PG)
                        .u64(SREGS_CR3, mode.pageTables())
                        .u64(SREGS_CR4, PAE)
                        .u64(SREGS_EFER, LONG_MODE);
            } else if (entry instanceof X86Entry.ProtectedMode mode) {
                registers
                        .u64(REGS_RIP, Integer.toUnsignedLong(mode.eip()))
                        .u64(REGS_RAX, Integer.toUnsignedLong(mode.eax()))
                        .u64(REGS_RBX, Integer.toUnsignedLong(mode.ebx()))
                        .u64(REGS_RSI, Integer.toUnsignedLong(mode.esi()))
                        .u64(REGS_RSP, Integer.toUnsignedLong(mode.esp()));
                flat(system, false);
                table(system, SREGS_GDT, mode.gdt());
                withoutPaging(system, PE | ET | NE);
            } else if (entry instanceof X86Entry.RealMode mode) {
                registers.u64(REGS_RIP, mode.ip()).u64(REGS_RSP, mode.sp());
                segment16(system, SREGS_CS, mode.segment(), CODE);
                for (int at : DATA_SEGMENTS) {
                    segment16(system, at, mode.segment(), DATA);
                }
                system.u64(SREGS_IDT + DTABLE_BASE, 0).u16(SREGS_IDT + DTABLE_LIMIT, 0x3ff);
                withoutPaging(system, ET);
            }
            state.begin(registers, system);
        }
    }

    private static void withoutPaging(Struct system, long cr0) {
        system.u64(SREGS_CR0, cr0).u64(SREGS_CR3, 0).u64(SREGS_CR4, 0).u64(SREGS_EFER, 0);
    }

    private static void table(Struct system, int at, X86Entry.Table table) {
        system.u64(at + DTABLE_BASE, table.base())
                .u16(at + DTABLE_LIMIT, Math.max(table.bytes() - 1, 0));
    }

    /** All segments from 0 to 4 GiB. */
    private static void flat(Struct system, boolean longMode) {
        segment(system, SREGS_CS, 0, -1, X86Entry.CODE_SELECTOR, CODE);
        system.u8(SREGS_CS + SEGMENT_L, longMode ? 1 : 0)
                .u8(SREGS_CS + SEGMENT_DB, longMode ? 0 : 1)
                .u8(SREGS_CS + SEGMENT_G, 1);
        for (int at : DATA_SEGMENTS) {
            segment(system, at, 0, -1, X86Entry.DATA_SELECTOR, DATA);
            system.u8(at + SEGMENT_DB, 1).u8(at + SEGMENT_G, 1);
        }
        // Hardware enters no guest without a task state.
        segment(system, SREGS_TR, 0, TASK_LIMIT, 0, BUSY_TASK);
        system.u8(SREGS_TR + SEGMENT_S, 0);
    }

    private static void segment16(Struct system, int at, int selector, int type) {
        segment(system, at, (long) selector << 4, 0xffff, selector, type);
    }

    private static void segment(
            Struct system, int at, long base, int limit, int selector, int type) {
        system.u64(at + SEGMENT_BASE, base)
                .u32(at + SEGMENT_LIMIT, limit)
                .u16(at + SEGMENT_SELECTOR, selector)
                .u8(at + SEGMENT_TYPE, type)
                .u8(at + SEGMENT_PRESENT, 1)
                .u8(at + SEGMENT_DPL, 0)
                .u8(at + SEGMENT_DB, 0)
                .u8(at + SEGMENT_S, 1)
                .u8(at + SEGMENT_L, 0)
                .u8(at + SEGMENT_G, 0)
                .u8(at + SEGMENT_AVL, 0)
                .u8(at + SEGMENT_UNUSABLE, 0);
    }
}
