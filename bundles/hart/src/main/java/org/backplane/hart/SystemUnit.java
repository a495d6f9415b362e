package org.backplane.hart;

/** SYSTEM instructions and FENCE.I. Belongs to the hart's thread. */
final class SystemUnit {
    private final Registers registers;
    private final Csrs csrs;
    private final Mmu mmu;
    private final CodeCache cache;
    private final Trap trap;
    private final Sbi sbi;
    private final HartState state;

    SystemUnit(
            Registers registers,
            Csrs csrs,
            Mmu mmu,
            CodeCache cache,
            Trap trap,
            Sbi sbi,
            HartState state) {
        this.registers = registers;
        this.csrs = csrs;
        this.mmu = mmu;
        this.cache = cache;
        this.trap = trap;
        this.sbi = sbi;
        this.state = state;
    }

    /**
     * Executes an instruction that ends a run; {@link Registers#pc} is its address and becomes the
     * next one's.
     */
    void execute(int op, int low) {
        long next = registers.pc + 2L * Op.length(low);
        switch (op) {
            case Op.ECALL:
                environmentCall(next);
                break;
            case Op.EBREAK:
                throw trap.of(Trap.BREAKPOINT, registers.pc);
            case Op.SRET:
                requireSupervisor();
                csrs.leaveHandler();
                break;
            case Op.WFI:
                // Without TW U-mode may execute it, too, and may wait a bounded time: none here.
                registers.pc = next;
                if (!csrs.user()) {
                    state.waitForInterrupt();
                }
                break;
            case Op.SFENCE_VMA:
                requireSupervisor();
                fence(Op.rs1(low), Op.rs2(low));
                registers.pc = next;
                break;
            case Op.FENCE_I:
                cache.newGeneration();
                mmu.clearCode();
                registers.pc = next;
                break;
            case Op.PAUSE:
                // What it waits for may be another hart's, whose thread waits for a processor.
                Thread.yield();
                registers.pc = next;
                break;
            default:
                throw trap.of(Trap.ILLEGAL_INSTRUCTION, 0);
        }
    }

    private void requireSupervisor() {
        if (csrs.user()) {
            throw trap.of(Trap.ILLEGAL_INSTRUCTION, 0);
        }
    }

    private void environmentCall(long next) {
        if (csrs.user()) {
            csrs.enterHandler(Trap.ECALL_FROM_U, 0);
            return;
        }
        sbi.call();
        registers.pc = next;
    }

    private void fence(int addressRegister, int asidRegister) {
        int asid = asidRegister == 0 ? Fence.ANY_SPACE : (int) registers.x[asidRegister] & 0xffff;
        if (addressRegister != 0) {
            mmu.drop(registers.x[addressRegister], asid);
        } else if (asidRegister != 0) {
            mmu.dropSpace(asid);
        } else {
            mmu.clear();
        }
    }

    /**
     * Executes a CSR instruction.
     *
     * @return whether the run of instructions has to end after it
     */
    boolean csr(long decoded) {
        int low = (int) decoded;
        int op = Op.op(low);
        int csr = Op.immediate(decoded);
        int rs1 = Op.rs1(low);
        long operand = op >= Op.CSRRWI ? rs1 : registers.x[rs1];
        boolean write = true;
        long clear;
        long set;
        switch (op) {
            case Op.CSRRW:
            case Op.CSRRWI:
                clear = -1;
                set = operand;
                break;
            case Op.CSRRS:
            case Op.CSRRSI:
                clear = 0;
                set = operand;
                write = rs1 != 0;
                break;
            default:
                clear = operand;
                set = 0;
                write = rs1 != 0;
                break;
        }
        long before = csrs.exchange(csr, write, clear, set);
        registers.x[Op.rd(low)] = before;
        return write && csrs.decisive(csr, before);
    }
}
