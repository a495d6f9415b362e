package org.backplane.hart;

import static org.backplane.hart.Program.A0;
import static org.backplane.hart.Program.A1;
import static org.backplane.hart.Program.A2;
import static org.backplane.hart.Program.A3;
import static org.backplane.hart.Program.A4;
import static org.backplane.hart.Program.S0;
import static org.backplane.hart.Program.S1;
import static org.backplane.hart.Program.S2;
import static org.backplane.hart.Program.S3;
import static org.backplane.hart.Program.T0;
import static org.backplane.hart.Program.T1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.linux.Memfd;
import org.backplane.memory.MemoryLease;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Local and remote fences, of translations and of code. */
@Timeout(120)
class FenceTest {
    private static final long RFENCE = 0x52464e43;
    private static final long VIRTUAL = 0x10_0000_0000L;
    private static final long FIRST = Rig.RAM + 0x20_0000;
    private static final long SECOND = Rig.RAM + 0x30_0000;
    private static final long SHARED = Rig.RAM + 0x10_0000;
    private static final long ALL = 0xc7;

    /** addi a0, x0, n; ret. */
    private static long function(int n) {
        return (Rv64.addi(A0, 0, n) & 0xffffffffL)
                | (long) Rv64.i(Rv64.JALR, 0, 0, Program.RA, 0) << 32;
    }

    @Test
    void codeIsFetchedAnewAfterFenceI() throws Exception {
        try (Rig rig = new Rig()) {
            rig.put(FIRST, function(1));
            Program p = new Program(Rig.RAM).li(S0, FIRST).li(A1, function(2));
            p.emit(Rv64.i(Rv64.JALR, 0, Program.RA, S0, 0)).addi(S1, A0, 0);
            p.store(8, A1, 0, S0).emit(Program.FENCE_I);
            p.emit(Rv64.i(Rv64.JALR, 0, Program.RA, S0, 0));
            p.emit(Rv64.i(Rv64.OP_IMM, 1, S1, S1, 8)).add(A0, A0, S1).exit(A0);
            assertEquals(0x102, rig.run(p));
        }
    }

    @Test
    void codeAcrossTwoPagesIsFetchedAnewAfterFenceI() throws Exception {
        try (Rig rig = new Rig()) {
            long at = FIRST + CodePage.SIZE - 2;
            Program body = new Program(at).addi(A0, 0, 1);
            rig.put(body.emit(Rv64.i(Rv64.JALR, 0, 0, Program.RA, 0)));
            // The new immediate is in the second page's half of the instruction.
            Program p = new Program(Rig.RAM).li(S0, at).li(A1, Rv64.addi(A0, 0, 2) >>> 16);
            p.emit(Rv64.i(Rv64.JALR, 0, Program.RA, S0, 0)).addi(S1, A0, 0);
            p.store(2, A1, 2, S0).emit(Program.FENCE_I);
            p.emit(Rv64.i(Rv64.JALR, 0, Program.RA, S0, 0));
            p.emit(Rv64.i(Rv64.OP_IMM, 1, S1, S1, 8)).add(A0, A0, S1).exit(A0);
            assertEquals(0x102, rig.run(p));
        }
    }

    @Test
    void remoteFenceIReachesARunningHart() throws Exception {
        try (Rig rig = new Rig(2)) {
            rig.put(FIRST, function(1));
            // Hart 1 calls the function and publishes what it says, until that is 2.
            Program caller = new Program(Rig.RAM + 0x1000).li(S0, FIRST).li(S1, SHARED).li(A2, 2);
            caller.label("again").emit(Rv64.i(Rv64.JALR, 0, Program.RA, S0, 0));
            caller.store(8, A0, 0, S1).bne(A0, A2, "again").exit(A0);
            rig.put(caller);
            // Hart 0 waits for a 1, writes the new function and fences the other.
            Program writer = new Program(Rig.RAM).li(S0, FIRST).li(S1, SHARED);
            writer.label("wait").load(8, A0, 0, S1).beq(A0, 0, "wait");
            writer.li(A1, function(2)).store(8, A1, 0, S0);
            writer.li(A0, 2).li(A1, 0).sbi(RFENCE, 0).exit(A0);
            rig.put(writer);
            rig.runAll(writer.base(), caller.base());
            assertEquals(0, rig.result(0), "SBI error");
            assertEquals(2, rig.result(1));
        }
    }

    @Test
    void noHartUsesATranslationAfterARemoteFenceReturned() throws Exception {
        try (Rig rig = new Rig(2)) {
            Remapping remapping = new Remapping(rig, 1, 0);
            rig.hart(1).enterAt(remapping.reader.base());
            Rig.Runner reading = rig.start(1);
            remapping.write();
            reading.join();
            assertEquals(Remapping.ROUNDS, rig.result(1), "-1: read through the old translation");
        }
    }

    /** The reader's thread was replaced, and comes back while the other writes. */
    @Test
    void noFreshThreadUsesATranslationAfterARemoteFenceReturned() throws Exception {
        try (Rig rig = new Rig(2)) {
            Remapping remapping = new Remapping(rig, 0, 1);
            CountDownLatch read = new CountDownLatch(1);
            rig.device =
                    address -> {
                        read.countDown();
                        return 0;
                    };
            rig.hart(0).enterAt(remapping.reader.base());
            AbandonedExitTest.StuckThread stuck = new AbandonedExitTest.StuckThread(rig);
            Rig.Runner reading = rig.start(0);
            read.await();
            stuck.end();
            remapping.write();
            reading.join();
            assertEquals(Remapping.ROUNDS, rig.result(0), "-1: read through the old translation");
        }
    }

    /**
     * One hart points a page elsewhere, has the other forget it and then writes to the old page:
     * the other, which reads the page all the time, never sees that. The reader loads from a device
     * before.
     */
    private static final class Remapping {
        static final int ROUNDS = 300;

        final Program reader;
        private final Program writer;
        private final Rig rig;
        private final int writing;

        Remapping(Rig rig, int reading, int writing) {
            this.rig = rig;
            this.writing = writing;
            rig.mapIdentity();
            rig.map(VIRTUAL, FIRST, ALL | Sv39.GLOBAL);
            rig.put(SHARED, 0);
            reader = new Program(Rig.RAM + 0x1000).csrli(Csrs.SATP, Rig.satp(0));
            reader.li(S0, Rig.DEVICE).load(8, A0, 0, S0);
            reader.li(S0, VIRTUAL).li(S1, SHARED).li(A2, -1).li(A3, ROUNDS);
            reader.label("again").load(8, A0, 0, S0).beq(A0, A2, "stale");
            reader.load(8, A1, 0, S1).bne(A1, A3, "again").exit(A1);
            reader.label("stale").exit(A2);
            rig.put(reader);
            writer = new Program(Rig.RAM).csrli(Csrs.SATP, Rig.satp(0));
            long entry = rig.entry(VIRTUAL, 0);
            writer.li(S0, entry).li(S1, SHARED).li(S2, FIRST).li(S3, SECOND).li(A4, 0);
            writer.label("again").store(8, 0, 0, S3);
            // The entry for what S3 points to.
            writer.emit(Rv64.i(Rv64.OP_IMM, 5, T0, S3, 2)).addi(T0, T0, (int) ALL);
            writer.store(8, T0, 0, S0);
            writer.li(A0, 1 << reading).li(A1, 0).li(A2, VIRTUAL).li(A3, CodePage.SIZE);
            writer.sbi(RFENCE, 1);
            writer.bne(A0, 0, "failed").li(T0, -1).store(8, T0, 0, S2);
            writer.addi(T1, S2, 0).addi(S2, S3, 0).addi(S3, T1, 0);
            writer.addi(A4, A4, 1).store(8, A4, 0, S1).li(T0, ROUNDS).bne(A4, T0, "again");
            writer.label("failed").exit(A0);
            rig.put(writer);
        }

        void write() throws HypervisorException {
            assertEquals(0, rig.run(writing, writer.base()), "SBI error");
        }
    }

    /** Two harts that fence each other all the time do not wait for each other forever. */
    @Test
    void hartsThatFenceEachOtherGoOn() throws Exception {
        try (Rig rig = new Rig(2)) {
            for (int i = 0; i < 2; i++) {
                Program p = new Program(Rig.RAM + 0x1000L * i).li(S0, 2000);
                p.label("again").li(A0, 2 - i).li(A1, 0).li(A2, 0).li(A3, -1).sbi(RFENCE, 1);
                p.addi(S0, S0, -1).bne(S0, 0, "again").exit(A0);
                rig.put(p);
            }
            rig.runAll(Rig.RAM, Rig.RAM + 0x1000);
            assertEquals(0, rig.result(0) | rig.result(1));
        }
    }

    @Test
    void aStoppedHartCountsAsDone() throws Exception {
        try (Rig rig = new Rig(2)) {
            Program p = new Program(Rig.RAM).li(A0, 2).li(A1, 0).li(A2, 0).li(A3, -1);
            rig.put(p.sbi(RFENCE, 1).exit(A0));
            assertEquals(0, rig.run(0, Rig.RAM));
        }
    }

    @Test
    void fencesOfHartsThereAreNotAreRefused() throws Exception {
        try (Rig rig = new Rig(2)) {
            Program p = new Program(Rig.RAM).li(A0, 4).li(A1, 0).li(A2, 0).li(A3, -1);
            rig.put(p.sbi(RFENCE, 1).exit(A0));
            assertEquals(-3, rig.run(0, Rig.RAM));
        }
    }

    @Test
    void aHartInsideAHandlerCountsAsDoneAndForgetsBeforeItGoesOn() throws Exception {
        try (Rig rig = new Rig(2)) {
            rig.mapIdentity();
            rig.map(VIRTUAL, FIRST, ALL | Sv39.GLOBAL);
            rig.put(FIRST, 1);
            rig.put(SECOND, 2);
            CountDownLatch inside = new CountDownLatch(1);
            CountDownLatch fenced = new CountDownLatch(1);
            rig.device =
                    address -> {
                        inside.countDown();
                        await(fenced);
                        return 0;
                    };
            Program reader = new Program(Rig.RAM + 0x1000).csrli(Csrs.SATP, Rig.satp(0));
            reader.li(S0, VIRTUAL).load(8, A0, 0, S0).li(S1, Rig.DEVICE).load(8, A1, 0, S1);
            reader.load(8, A1, 0, S0).emit(Rv64.i(Rv64.OP_IMM, 1, A1, A1, 8)).add(A0, A0, A1);
            rig.put(reader.exit(A0));
            Program fencer = new Program(Rig.RAM).li(A0, 2).li(A1, 0).li(A2, VIRTUAL);
            rig.put(fencer.li(A3, CodePage.SIZE).sbi(RFENCE, 1).exit(A0));
            rig.hart(1).enterAt(reader.base());
            Rig.Runner runner = rig.start(1);
            inside.await();
            rig.map(VIRTUAL, SECOND, ALL | Sv39.GLOBAL);
            assertEquals(0, rig.run(0, fencer.base()));
            fenced.countDown();
            runner.join();
            assertEquals(0x201, rig.result(1));
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void memoryThatGoesIsNotReachedAfterItsLeaseClosed() throws Exception {
        try (Rig rig = new Rig(1);
                Memfd file = Memfd.create("window", CodePage.SIZE)) {
            long window = 0x4000_0000L;
            rig.device = address -> 77;
            MemoryLease lease = rig.memory.map(window, file, 0, CodePage.SIZE, true);
            Program p = new Program(Rig.RAM).li(S0, window).li(A1, 5).store(8, A1, 0, S0);
            p.li(S1, SHARED).li(A2, 77).label("again").load(8, A0, 0, S0).store(8, A0, 0, S1);
            p.bne(A0, A2, "again").exit(A0);
            rig.put(p);
            rig.hart(0).enterAt(p.base());
            Rig.Runner runner = rig.start(0);
            while (rig.get(SHARED) != 5) {
                Thread.onSpinWait();
            }
            lease.close();
            runner.join();
            assertEquals(77, rig.result(0));
        }
    }

    @Test
    void memoryThatComesIsReachedInsteadOfTheDevice() throws Exception {
        try (Rig rig = new Rig(1);
                Memfd file = Memfd.create("window", CodePage.SIZE)) {
            long window = 0x4000_0000L;
            CountDownLatch reading = new CountDownLatch(1);
            rig.device =
                    address -> {
                        reading.countDown();
                        return 77;
                    };
            Program p = new Program(Rig.RAM).li(S0, window).li(A2, 77);
            p.label("again").load(8, A0, 0, S0).beq(A0, A2, "again").exit(A0);
            rig.put(p);
            rig.hart(0).enterAt(p.base());
            Rig.Runner runner = rig.start(0);
            reading.await();
            MemoryLease lease = rig.memory.map(window, file, 0, CodePage.SIZE, true);
            runner.join();
            assertEquals(0, rig.result(0));
            lease.close();
        }
    }

    @Test
    void storesToMemoryThatIsNotWritableGoToTheMachine() throws Exception {
        try (Rig rig = new Rig(1);
                Memfd file = Memfd.create("window", CodePage.SIZE)) {
            long window = 0x4000_0000L;
            MemoryLease lease = rig.memory.map(window, file, 0, CodePage.SIZE, false);
            Program p = new Program(Rig.RAM).li(S0, window).li(A1, -1).store(2, A1, 6, S0);
            assertEquals(0, rig.run(p.load(8, A0, 0, S0).exit(A0)));
            assertTrue(rig.stores.contains(new Rig.Store(0, window + 6, 2, 0xffff)));
            lease.close();
        }
    }

    @Test
    void instructionsAreNotFetchedFromADevicesMemory() throws Exception {
        try (Rig rig = new Rig(1);
                Memfd file = Memfd.create("window", CodePage.SIZE)) {
            long window = 0x4000_0000L;
            MemoryLease lease = rig.memory.map(window, file, 0, CodePage.SIZE, true);
            Program p = new Program(Rig.RAM).la(T0, "handler").csrw(Csrs.STVEC, T0);
            p.li(S0, window).li(A1, function(1)).store(8, A1, 0, S0);
            p.emit(Rv64.i(Rv64.JALR, 0, Program.RA, S0, 0)).exit(0).until(Rig.RAM + 0x100);
            p.label("handler").csrr(A0, Csrs.SCAUSE).exit(A0);
            assertEquals(Trap.FETCH_ACCESS_FAULT, rig.run(p));
            lease.close();
        }
    }
}
