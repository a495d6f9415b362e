package org.backplane.kvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import org.backplane.hypervisor.AbandonedExit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How processors are stopped, and what becomes of one whose thread does not come back. */
@Timeout(60)
class KickTest {
    private KvmRig rig;

    @BeforeEach
    void setUp() throws Exception {
        rig = KvmRig.open();
    }

    @AfterEach
    void tearDown() {
        if (rig != null) {
            rig.close();
        }
    }

    private void awaitProgress() {
        long now = rig.get(KvmRig.FLAGS);
        rig.await(() -> rig.get(KvmRig.FLAGS) != now);
    }

    @Test
    void endsTheRunOfAHaltedProcessor() throws Exception {
        KvmRig.Runner runner = rig.load("interrupt").start(0);
        for (int i = 0; i < 20; i++) {
            rig.await(() -> rig.processor(0).idle());
            assertFalse(rig.processor(0).kicked());
            rig.processor(0).kick();
            runner.join();
            runner = rig.start(0);
        }
        rig.processor(0).kick();
        runner.join();
        assertEquals(0, rig.getInt(KvmRig.FLAGS));
    }

    @Test
    void endsTheRunOfASpinningProcessorWhichLosesNothing() throws Exception {
        rig.load("spin");
        for (int i = 0; i < 20; i++) {
            KvmRig.Runner runner = rig.start(0);
            awaitProgress();
            rig.processor(0).kick();
            runner.join();
            long stopped = rig.get(KvmRig.FLAGS);
            assertTrue(rig.processor(0).pc() >= KvmRig.CODE);
            assertEquals(stopped, rig.get(KvmRig.FLAGS));
        }
        rig.put(KvmRig.FLAGS + 8, 1);
        // EBX: every number was there when the payload looked.
        assertEquals(0, rig.run());
    }

    @Test
    void kickFromBeforeEndsTheNextRunAtOnce() throws Exception {
        rig.load("spin");
        rig.processor(0).kick();
        assertTrue(rig.processor(0).kicked());
        rig.processor(0).run();
        assertFalse(rig.processor(0).kicked());
        assertEquals(0, rig.get(KvmRig.FLAGS));
    }

    /** A kick inside of a handler: the access is over before the run is. */
    @Test
    void completesTheAccessThatItCameIn() throws Exception {
        rig.load("store");
        rig.port = number -> 'p';
        rig.exit = () -> rig.processor(0).kick();
        int runs = 0;
        while (rig.result(0) == 0) {
            rig.processor(0).run();
            runs++;
        }
        assertEquals(4, rig.result(0));
        assertEquals("pppppp", rig.text(KvmRig.FLAGS + 0x100, 6));
        assertTrue(runs >= 4, "runs " + runs);
    }

    /** Runs the processor and does not come back from its first exit until let go. */
    private final class Stuck {
        private final CountDownLatch inside = new CountDownLatch(1);
        private final CountDownLatch release = new CountDownLatch(1);
        private final Thread thread = new Thread(this::run, "stuck");
        private volatile Throwable end;

        Stuck() throws InterruptedException {
            rig.exit = this::exit;
            thread.start();
            inside.await();
        }

        private void run() {
            try {
                rig.processor(0).run();
            } catch (Throwable e) {
                end = e;
            }
        }

        private void exit() {
            if (Thread.currentThread() != thread) {
                return;
            }
            inside.countDown();
            try {
                release.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            throw new AbandonedExit();
        }

        Throwable end() throws InterruptedException {
            release.countDown();
            thread.join();
            return end;
        }
    }

    @Test
    void freshThreadMakesTheAccessOfAStuckOneAndGoesOnUndisturbed() throws Exception {
        rig.load("store");
        rig.port = number -> 'q';
        Stuck stuck = new Stuck();
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch answer = new CountDownLatch(1);
        rig.device =
                address -> {
                    inside.countDown();
                    try {
                        answer.await();
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                    return 0;
                };
        KvmRig.Runner fresh = rig.start(0);
        inside.await();
        assertInstanceOf(AbandonedExit.class, stuck.end());
        answer.countDown();
        assertNull(fresh.end());
        assertEquals(4, rig.result(0));
    }

    /** The signal that a kick sends must not outlive the thread that it was for. */
    @Test
    void kicksOfAStuckThreadEndNothing() throws Exception {
        rig.load("store");
        Stuck stuck = new Stuck();
        rig.processor(0).kick();
        assertInstanceOf(AbandonedExit.class, stuck.end());
        assertTrue(rig.processor(0).kicked());
        rig.processor(0).run();
        assertEquals(4, rig.run());
    }
}
