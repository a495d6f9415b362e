package org.backplane.hart;

import java.io.IOException;
import java.util.List;
import org.backplane.hypervisor.ExitHandler;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.InterruptControllers.RiscvAia;
import org.backplane.hypervisor.VmSpec;
import org.backplane.memory.Access;
import org.backplane.memory.GuestMemory;
import org.backplane.memory.OffHeap;

/**
 * A program that takes every path of {@link Executor#run}, executed before the first guest is.
 *
 * <p>HotSpot compiles that method for what it has seen, and throws the code away at the first
 * instruction it has not: without this a booting kernel meets a new one a dozen times, and goes on
 * at a tenth of the speed each time until the compiler is through again.
 */
final class Rehearsal implements ExitHandler {
    private static final long RAM = 0x8000_0000L;

    /** Twice the reach of the translation buffers, so that two addresses compete for an entry. */
    private static final long SIZE = 4L << 20;

    private static final long DATA = RAM + 0x4000;
    private static final long COMPETITOR = 2L << 20;
    private static final long DEVICE = 0x1000_0000L;
    private static final int TURNS = 1500;

    /** Every so many turns one that is longer than a run. */
    private static final int LONG_TURNS = 16;

    private static final int REPETITIONS = 40;

    /** JAL x26, -4, to lie across the first two pages. */
    private static final int JUMP_BACK = 0xffdffd6f;

    /** JALR x26, 0(x23), to be decoded while it executes. */
    private static final int RETURN = 0x000b8d67;

    /** A load or store mostly finds its page. */
    private static final int HITS = 6;

    // Registers.
    private static final int COUNT = 5;
    private static final int ODD = 6;
    private static final int EVEN = 7;
    private static final int HIT = 8;
    private static final int MISS = 9;
    private static final int FLOATS = 20;
    private static final int INITIAL = 21;
    private static final int SUM = 22;
    private static final int WHERE = 23;
    private static final int AWAY = 24;
    private static final int PORT = 25;
    private static final int SCRATCH = 26;
    private static final int REPEAT = 27;

    private Hart hart;
    private long[] ops;
    private long[] third;
    private int at;

    /**
     * Executes the program, in some tens of milliseconds.
     *
     * @throws HypervisorException it did not come to its end
     */
    void run() throws IOException, HypervisorException {
        VmSpec spec = new VmSpec("rehearsal", 1, new RiscvAia(0, 63, 0x10000, 0x5000, 1, 1000));
        try (GuestMemory memory =
                new GuestMemory("rehearsal", List.of(new GuestMemory.RamBank(RAM, SIZE)))) {
            long host = memory.layout().translate(RAM, SIZE, Access.WRITE);
            OffHeap.putShort(host + CodePage.SIZE - 2, (short) JUMP_BACK);
            OffHeap.putShort(host + CodePage.SIZE, (short) (JUMP_BACK >>> 16));
            OffHeap.putInt(host + 2 * CodePage.SIZE, RETURN);
            HartVm vm = new HartVm(spec, (RiscvAia) spec.interruptControllers(), memory, this);
            try {
                hart = (Hart) vm.vcpus().get(0);
                write(vm.code(), host);
                hart.enterAt(RAM);
                hart.run();
            } finally {
                vm.close();
            }
        }
    }

    /** Whether an operation is part of the program. */
    boolean holds(int op) {
        for (long decoded : ops) {
            if (Op.op((int) decoded) == op) {
                return true;
            }
        }
        return false;
    }

    private void emit(int op, int rd, int rs1, int rs2, int immediate) {
        ops[at++] = Op.pack(op, rd, rs1, rs2, 1, immediate);
    }

    private void write(CodeCache cache, long host) {
        long[] first = cache.page(RAM, host).ops;
        long[] second = cache.page(RAM + CodePage.SIZE, host + CodePage.SIZE).ops;
        ops = first;
        prologue();
        int loop = at;
        emit(Op.ANDI, ODD, COUNT, 0, 1);
        emit(Op.XORI, EVEN, ODD, 0, 1);
        accesses();
        arithmetic();
        branches();
        system();
        emit(Op.ADDI, COUNT, COUNT, 0, -1);
        emit(Op.BEQ, 0, COUNT, 0, 2);
        emit(Op.J, 0, 0, 0, CodePage.SLOTS - 1 - at);
        emit(Op.SD, 0, PORT, 0, 0);
        int last = CodePage.SLOTS - 1;
        first[last] = Op.pack(Op.CROSS, 0, 0, 0, 2, 0);
        first[last - 2] = Op.pack(Op.J, 0, 0, 0, 1, 4);
        // To a third page and back by registers, and to the first by a branch.
        second[1] = Op.pack(Op.JALR, 0, AWAY, 0, 1, 0);
        second[2] = Op.pack(Op.BGEU, 0, ODD, 0, 1, loop - CodePage.SLOTS - 2);
        third = cache.page(RAM + 2 * CodePage.SIZE, host + 2 * CodePage.SIZE).ops;
    }

    private void prologue() {
        constant(FLOATS, (int) Csrs.STATUS_FS);
        constant(INITIAL, 1 << 13);
        constant(SUM, (int) Csrs.STATUS_SUM);
        constant(PORT, (int) DEVICE);
        constant(COUNT, TURNS);
        emit(Op.AUIPC, HIT, 0, 0, (int) (DATA - RAM));
        emit(Op.AUIPC, AWAY, 0, 0, 2 * CodePage.SIZE);
        emit(Op.AUIPC, WHERE, 0, 0, CodePage.SIZE + 4);
    }

    private void constant(int register, int value) {
        emit(Op.LI, register, 0, 0, value);
    }

    private void accesses() {
        emit(Op.CSRRC, 0, FLOATS, 0, Csrs.SSTATUS);
        emit(Op.CSRRS, 0, INITIAL, 0, Csrs.SSTATUS);
        // Where they find the registers clean, and after that, in the next run, dirty.
        int[] floats = {Op.FLW, Op.FSW, Op.FLD, Op.FSD};
        for (int op : floats) {
            emit(op, 1, HIT, 1, 0);
        }
        emit(Op.CSRRS, 0, SUM, 0, Csrs.SSTATUS);
        emit(Op.CSRRC, 0, SUM, 0, Csrs.SSTATUS);
        constant(MISS, (int) COMPETITOR);
        emit(Op.ADD, MISS, MISS, HIT, 0);
        int[] all = {
            Op.LB, Op.LH, Op.LW, Op.LD, Op.LBU, Op.LHU, Op.LWU, Op.SB, Op.SH, Op.SW, Op.SD, Op.FLW,
            Op.FLD, Op.FSW, Op.FSD
        };
        for (int op : all) {
            for (int i = 0; i < HITS; i++) {
                emit(op, 1, HIT, 1, 8 * i);
            }
            emit(op, 1, MISS, 1, 0);
        }
    }

    /** No operation is much more frequent than others: the JVM would test for it first. */
    private void arithmetic() {
        emit(Op.ANDI, SCRATCH, COUNT, 0, LONG_TURNS - 1);
        constant(REPEAT, 1);
        emit(Op.BNE, 0, SCRATCH, 0, 2);
        constant(REPEAT, REPETITIONS);
        int again = at;
        for (int op = Op.ADDI; op <= Op.MV; op++) {
            emit(op, SCRATCH, ODD, EVEN, 1);
            emit(op, SCRATCH, EVEN, ODD, 3);
        }
        for (int op = Op.MULHU; op <= Op.REMW; op++) {
            emit(op, SCRATCH, COUNT, ODD, 0);
        }
        emit(Op.FENCE_LIGHT, 0, 0, 0, 0);
        emit(Op.FENCE_FULL, 0, 0, 0, 0);
        emit(Op.ADDI, REPEAT, REPEAT, 0, -1);
        emit(Op.BNE, 0, REPEAT, 0, again - at);
    }

    private void branches() {
        int[] conditional = {Op.BEQ, Op.BNE, Op.BLT, Op.BGE, Op.BLTU, Op.BGEU};
        for (int op : conditional) {
            emit(op, 0, ODD, 0, 2);
            emit(Op.MV, SCRATCH, ODD, 0, 0);
            emit(op, 0, ODD, EVEN, 2);
            emit(Op.MV, SCRATCH, ODD, 0, 0);
        }
        emit(Op.JAL, SCRATCH, 0, 0, 1);
        emit(Op.JALR, SCRATCH, SCRATCH, 0, 2);
    }

    private void system() {
        emit(Op.AMOADD_D, SCRATCH, HIT, ODD, 0);
        emit(Op.FEQ_S, SCRATCH, 1, 1, 0);
        emit(Op.CSRRS, SCRATCH, 0, 0, Csrs.SSCRATCH);
        emit(Op.LW, SCRATCH, PORT, 0, 0);
        // The handler is what follows, at a multiple of four bytes.
        if (at % 2 == 0) {
            emit(Op.MV, SCRATCH, SCRATCH, 0, 0);
        }
        emit(Op.AUIPC, SCRATCH, 0, 0, 2 * at + 6);
        emit(Op.CSRRW, 0, SCRATCH, 0, Csrs.STVEC);
        emit(Op.ILLEGAL, 0, 0, 0, 0);
        emit(Op.SFENCE_VMA, 0, 0, 0, 0);
    }

    @Override
    public long mmioRead(int vcpu, long address, int width) {
        third[0] = Op.UNDECODED;
        return 0;
    }

    /** The program's end. */
    @Override
    public void mmioWrite(int vcpu, long address, int width, long value) {
        hart.kick();
    }

    @Override
    public long ioRead(int vcpu, int port, int width) {
        return -1;
    }

    @Override
    public void ioWrite(int vcpu, int port, int width, long value) {
        throw new IllegalStateException("RISC-V has no port I/O");
    }

    @Override
    public void systemEvent(int vcpu, SystemEvent event) {
        throw new IllegalStateException("the rehearsal asked for " + event);
    }

    @Override
    public void debugConsole(int octet) {
        throw new IllegalStateException("the rehearsal printed " + octet);
    }
}
