package org.backplane.hart;

import static org.backplane.hart.Program.A0;
import static org.backplane.hart.Program.A1;
import static org.backplane.hart.Program.A2;
import static org.backplane.hart.Program.A3;
import static org.backplane.hart.Program.S0;
import static org.backplane.hart.Program.S1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.backplane.hypervisor.AbandonedExit;
import org.backplane.hypervisor.HypervisorException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A processor that goes on with a fresh thread, for its own is stuck in an exit. */
@Timeout(60)
class AbandonedExitTest {
    private static final long SHARED = Rig.RAM + 0x10_0000;
    private static final long RFENCE = 0x52464e43;
    private static final long DBCN = 0x4442434e;

    private Rig rig;

    @BeforeEach
    void setUp() throws Exception {
        rig = new Rig(2);
    }

    @AfterEach
    void tearDown() {
        rig.close();
    }

    /** Runs hart 0 and does not come back from its first exit until let go. */
    static final class StuckThread extends Thread {
        private final Rig rig;
        private final CountDownLatch inside = new CountDownLatch(1);
        private final CountDownLatch release = new CountDownLatch(1);
        private volatile Throwable end;

        StuckThread(Rig rig) throws InterruptedException {
            super("stuck");
            this.rig = rig;
            rig.exit = this::exit;
            start();
            inside.await();
        }

        @Override
        public void run() {
            try {
                rig.hart(0).run();
            } catch (HypervisorException | AbandonedExit e) {
                end = e;
            }
        }

        private void exit() {
            if (Thread.currentThread() == this) {
                inside.countDown();
                await(release);
                throw new AbandonedExit();
            }
        }

        /** Lets it come back; returns what its run ended with. */
        Throwable end() throws InterruptedException {
            release.countDown();
            join();
            return end;
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    static Stream<Arguments> exits() {
        return Stream.of(
                exit("load", p -> p.load(8, A0, 0, S0)),
                exit("store", p -> p.store(8, A0, 0, S0)),
                exit("console", p -> p.li(A0, 'x').li(A1, 0).sbi(DBCN, 2)));
    }

    private static Arguments exit(String name, Consumer<Program> access) {
        return Arguments.of(name, access);
    }

    /** Counts in s1, all the while showing it, until it is told to stop. */
    private static Program counting(Consumer<Program> access) {
        Program p = new Program(Rig.RAM).li(S0, Rig.DEVICE).li(S1, 0);
        access.accept(p);
        p.li(S0, SHARED).addi(A3, A0, 0).label("again").addi(S1, S1, 1).store(8, S1, 0, S0);
        return p.load(8, A2, 8, S0).beq(A2, 0, "again").exit(S1);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("exits")
    void freshThreadMakesTheAccessAndGoesOnUndisturbed(String name, Consumer<Program> access)
            throws Exception {
        rig.put(counting(access));
        rig.hart(0).enterAt(Rig.RAM);
        rig.device = address -> 41;
        StuckThread stuck = new StuckThread(rig);
        Rig.Runner fresh = rig.start(0);
        awaitProgress();
        assertInstanceOf(AbandonedExit.class, stuck.end());
        // Were it away, fences for it would count as done.
        assertFalse(rig.hart(0).mailbox().away());
        awaitProgress();
        fence();
        rig.put(SHARED + 8, 1);
        fresh.join();
        assertEquals(rig.get(SHARED), rig.result(0));
        if (name.equals("load")) {
            assertEquals(41, rig.hart(0).registers().x[A3]);
        } else if (name.equals("store")) {
            assertEquals(1, rig.stores.size());
        } else {
            assertEquals("x", rig.console.toString());
        }
    }

    private void awaitProgress() {
        long now = rig.get(SHARED);
        while (rig.get(SHARED) == now) {
            Thread.onSpinWait();
        }
    }

    /** Hart 1 has hart 0 forget all, and waits until it did. */
    private void fence() throws HypervisorException {
        Program p = new Program(Rig.RAM + 0x1000).li(A0, 1).li(A1, 0).li(A2, 0).li(A3, -1);
        rig.put(p.sbi(RFENCE, 1).exit(A0));
        assertEquals(0, rig.run(1, p.base()));
    }

    /** The stuck thread comes back while the fresh one is in an exit of its own. */
    @Test
    void hartInsideAnotherExitStaysAway() throws Exception {
        rig.put(counting(p -> p.load(8, A0, 0, S0)));
        rig.hart(0).enterAt(Rig.RAM);
        StuckThread stuck = new StuckThread(rig);
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch answer = new CountDownLatch(1);
        rig.device =
                address -> {
                    inside.countDown();
                    await(answer);
                    return 7;
                };
        Rig.Runner fresh = rig.start(0);
        inside.await();
        assertInstanceOf(AbandonedExit.class, stuck.end());
        assertTrue(rig.hart(0).mailbox().away());
        fence();
        answer.countDown();
        awaitProgress();
        rig.put(SHARED + 8, 1);
        fresh.join();
        assertEquals(rig.get(SHARED), rig.result(0));
    }

    @Test
    void interruptsWakeTheFreshThread() throws Exception {
        Program p = new Program(Rig.RAM).li(S0, Rig.DEVICE).load(8, A0, 0, S0);
        p.csrli(Csrs.SIE, Interrupts.SOFTWARE_BIT).emit(Program.WFI).exit(A0);
        rig.put(p);
        rig.hart(0).enterAt(Rig.RAM);
        rig.device = address -> 9;
        StuckThread stuck = new StuckThread(rig);
        Rig.Runner fresh = rig.start(0);
        while (!(rig.hart(0).idle() && fresh.parked())) {
            Thread.onSpinWait();
        }
        assertInstanceOf(AbandonedExit.class, stuck.end());
        rig.hart(0).interrupts().raiseSoftware();
        fresh.join();
        assertEquals(9, rig.result(0));
    }

    /** What other exceptions leave behind executes nothing: nobody waits for it. */
    @Test
    void hartWhoseHandlerFailedCountsAsAway() throws Exception {
        rig.put(counting(p -> p.load(8, A0, 0, S0)));
        rig.device =
                address -> {
                    throw new IllegalArgumentException("broken");
                };
        assertThrows(HypervisorException.class, () -> rig.run(0, Rig.RAM));
        assertTrue(rig.hart(0).mailbox().away());
        fence();
    }
}
