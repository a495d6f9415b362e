package org.backplane.hart;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.backplane.hypervisor.HypervisorException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Guests of drawn instructions, on two harts in S-mode, with all the CSRs, fences, page tables and
 * firmware calls that drawing finds. Nothing that they do may be more than a trap of their own.
 */
@Timeout(300)
class HostileGuestTest {
    private static final long SEED = Long.getLong("hostile.seed", 20260101L);
    private static final int HARTS = 2;
    private static final int GUESTS = 40;
    private static final int CODE_BITS = 18;
    private static final int CODE_BYTES = 1 << CODE_BITS;
    private static final long HANDLER = Rig.RAM + 0x100;
    private static final long NOISE = Rig.RAM + 0x400;
    private static final int LOOKS = 1_000_000;
    private static final long INSTRUCTIONS = 200_000;

    private static final int[] OPCODES = {
        Rv64.LOAD,
        Rv64.LOAD_FP,
        Rv64.MISC_MEM,
        Rv64.OP_IMM,
        Rv64.AUIPC,
        Rv64.OP_IMM_32,
        Rv64.STORE,
        Rv64.STORE_FP,
        Rv64.AMO,
        Rv64.OP,
        Rv64.LUI,
        Rv64.OP_32,
        Rv64.MADD,
        Rv64.OP_FP,
        Rv64.BRANCH,
        Rv64.JALR,
        Rv64.JAL,
        Rv64.SYSTEM
    };

    private static final int[] CSRS = {
        Csrs.FFLAGS, Csrs.FRM, Csrs.FCSR, Csrs.SSTATUS, Csrs.SIE, Csrs.SCOUNTEREN, Csrs.SENVCFG,
        Csrs.SSCRATCH, Csrs.SEPC, Csrs.SCAUSE, Csrs.STVAL, Csrs.SIP, Csrs.STIMECMP, Csrs.SISELECT,
        Csrs.SIREG, Csrs.STOPEI, Csrs.SATP, Csrs.CYCLE, Csrs.TIME, Csrs.INSTRET, Csrs.STOPI,
        Csrs.STVEC, 0x300, 0x7c0
    };

    private static final int SFENCE_VMA = 0x12000073;
    private static final int[] PRIVILEGED = {
        Program.WFI, Program.SRET, Program.EBREAK, SFENCE_VMA, SFENCE_VMA | 10 << 15
    };

    /** BASE, TIME, IPI, RFENCE, DBCN, the legacy putchar; those that stop the hart not. */
    private static final long[] SBI = {0x10, 0x54494d45, 0x735049, 0x52464e43, 0x4442434e, 1};

    @Test
    void drawnInstructionsNeverStopTheProcessor() throws Exception {
        System.out.println("hostile guests, -Dhostile.seed=" + SEED);
        for (int guest = 0; guest < GUESTS; guest++) {
            Random random = new Random(SEED + guest);
            try (Rig rig = new Rig(HARTS)) {
                rig.write(Rig.RAM, code(random, guest % 4 == 0));
                run(rig, guest);
            }
        }
    }

    private static void run(Rig rig, int guest) throws Exception {
        List<Rig.Runner> runners = new ArrayList<>();
        for (int i = 0; i < HARTS; i++) {
            rig.hart(i).enterAt(Rig.RAM, Rig.RAM + CODE_BYTES / 2, Rig.IMSIC);
            runners.add(rig.start(i));
        }
        Hart hart = rig.hart(0);
        Rig.Runner runner = runners.get(0);
        long completed = -1;
        int looks = 0;
        // A trap vector without memory makes a guest trap for ever and complete nothing.
        while (!runner.ended() && !hart.idle() && completed < INSTRUCTIONS && looks < LOOKS) {
            looks = hart.instructions() == completed ? looks + 1 : 0;
            completed = hart.instructions();
            Thread.onSpinWait();
        }
        try {
            for (int i = 0; i < HARTS; i++) {
                rig.hart(i).kick();
                runners.get(i).join();
            }
        } catch (HypervisorException e) {
            throw new AssertionError("guest " + guest + " of seed " + SEED, e);
        }
    }

    /** A prologue, a trap handler that goes on elsewhere with useful pointers, then noise. */
    private static byte[] code(Random random, boolean translates) {
        Program p = new Program(Rig.RAM);
        p.li(Program.T0, HANDLER).csrw(Csrs.STVEC, Program.T0).emit(Program.EBREAK);
        p.until(HANDLER).csrr(Program.T0, Csrs.INSTRET).li(Program.T1, 0x9e3779b97f4a7c15L);
        // The upper bits of the product choose where to go on: an even offset into the code.
        p.emit(Rv64.r(Rv64.OP, 0, 1, Program.T0, Program.T0, Program.T1));
        p.emit(Rv64.i(Rv64.OP_IMM, 5, Program.T0, Program.T0, Long.SIZE - CODE_BITS + 1));
        p.add(Program.T0, Program.T0, Program.T0).li(Program.T1, Rig.RAM);
        p.add(Program.T0, Program.T0, Program.T1).csrw(Csrs.SEPC, Program.T0);
        p.li(Program.T0, Csrs.STATUS_FS).csrs(Csrs.SSTATUS, Program.T0);
        long[] pointers = {Rig.RAM + 0x8000, Rig.APLIC, Rig.APLIC + 0x1ee0, Rig.IMSIC, Rig.DEVICE};
        for (int i = 0; i < pointers.length; i++) {
            p.li(Program.A0 + i, pointers[i]);
        }
        p.emit(Program.SRET).until(NOISE);
        while (p.here() < Rig.RAM + CODE_BYTES) {
            if (random.nextInt(256) == 0) {
                call(p, random);
            } else if (random.nextInt(128) == 0) {
                p.csrli(Csrs.SISELECT, 0x2e + random.nextInt(0xd4)).emit(word(random, Csrs.SIREG));
            } else if (random.nextInt(4) == 0) {
                p.half(random.nextInt(1 << 16));
            } else {
                p.emit(word(random, translates));
            }
        }
        return p.bytes();
    }

    private static int word(Random random, boolean translates) {
        int opcode = OPCODES[random.nextInt(OPCODES.length)];
        int word = random.nextInt() & ~0x7f | opcode;
        boolean pointed = random.nextBoolean();
        if (pointed) {
            word = word & ~(0x1f << 15) | Program.A0 + random.nextInt(5) << 15;
        }
        switch (opcode) {
            case Rv64.SYSTEM:
                return system(random, word, translates);
            case Rv64.AMO:
                // Aligned, if the pointer is: there is no offset.
                return word & ~(7 << 12) | (2 + random.nextInt(2)) << 12;
            case Rv64.JAL:
            case Rv64.BRANCH:
                // Mostly forward and near, or the guest would loop at once.
                return random.nextInt(16) == 0
                        ? word
                        : Rv64.b(random.nextInt(8), word >> 15 & 31, word >> 20 & 31, 8);
            default:
                return word;
        }
    }

    private static int system(Random random, int word, boolean translates) {
        int kind = random.nextInt(16);
        if (kind == 0) {
            return word;
        }
        if (kind == 1) {
            return PRIVILEGED[random.nextInt(PRIVILEGED.length)];
        }
        int csr = CSRS[random.nextInt(CSRS.length)];
        // A guest that points the vector or the page tables at noise ends in a loop of traps.
        if ((csr == Csrs.SATP || csr == Csrs.STVEC) && !(translates && random.nextInt(64) == 0)) {
            csr = Csrs.SIREG;
        }
        return word & 0xfffff | csr << 20;
    }

    /** An instruction on one CSR, of any kind and with any registers. */
    private static int word(Random random, int csr) {
        return Rv64.SYSTEM | random.nextInt() & 0xfff80 | csr << 20;
    }

    /** An ecall for something: the extension in a7, a function in a6, a mask of harts in a0. */
    private static Program call(Program p, Random random) {
        p.li(Program.A0, random.nextInt(1 << HARTS)).li(Program.A1, 0);
        p.li(Program.A6, random.nextInt(8)).li(Program.A7, SBI[random.nextInt(SBI.length)]);
        return p.ecall();
    }
}
