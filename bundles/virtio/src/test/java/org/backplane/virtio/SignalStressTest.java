package org.backplane.virtio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.backplane.testkit.DriverRing;
import org.backplane.testkit.DriverRing.Buffer;
import org.backplane.testkit.DriverRing.Used;
import org.backplane.testkit.TestMemory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A driver and a device, a thread each, that both go to sleep whenever the rules say that the other
 * will wake them. A signal that is lost leaves both asleep, which is noticed at once and not by
 * waiting: whoever goes to sleep as the second, with no signal on its way, fails the test.
 */
@Timeout(value = 600, unit = TimeUnit.SECONDS)
class SignalStressTest {
    private static final int CHAINS = 200_000;

    /** How the device's side goes about its work. */
    enum Worker {
        /** Polls until there is nothing more, completing as it goes. */
        SIMPLE,
        /** Suppresses doorbells while it works. */
        SUPPRESSING,
        /** Hands chains to a second thread, which completes them. */
        COMPLETING_ELSEWHERE
    }

    /** Doorbells one way, interrupts the other. */
    private static final class Signals implements QueueTransport {
        private int doorbells;
        private int interrupts;
        private boolean deviceSleeps;
        private boolean driverSleeps;
        private boolean done;
        private String lost;

        /** Chains that a third thread still has: the device sleeps, but is not idle. */
        private int elsewhere;

        synchronized void doorbell() {
            doorbells++;
            notifyAll();
        }

        @Override
        public synchronized void usedBuffers(int queue) {
            interrupts++;
            notifyAll();
        }

        @Override
        public synchronized void broken(int queue, String reason) {
            fail("broken: " + reason);
        }

        synchronized void fail(String why) {
            lost = lost == null ? why : lost;
            notifyAll();
        }

        synchronized void handedOver() {
            elsewhere++;
        }

        synchronized void dealtWith() {
            elsewhere--;
            look();
        }

        synchronized void finish() {
            done = true;
            notifyAll();
        }

        /** Sleeps until the doorbell rings; false at the end. */
        synchronized boolean awaitDoorbell() throws InterruptedException {
            deviceSleeps = true;
            look();
            while (doorbells == 0 && !done && lost == null) {
                wait();
            }
            deviceSleeps = false;
            doorbells = 0;
            return !done && lost == null;
        }

        /** Sleeps until an interrupt comes; false if one was lost. */
        synchronized boolean awaitInterrupt() throws InterruptedException {
            driverSleeps = true;
            look();
            while (interrupts == 0 && lost == null) {
                wait();
            }
            driverSleeps = false;
            interrupts = 0;
            return lost == null;
        }

        private void look() {
            if (deviceSleeps
                    && driverSleeps
                    && doorbells == 0
                    && interrupts == 0
                    && elsewhere == 0
                    && !done) {
                fail("both sides sleep, each waiting for the other");
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "true, SIMPLE, 2",
        "true, SUPPRESSING, 4",
        "true, COMPLETING_ELSEWHERE, 8",
        "false, SIMPLE, 2",
        "false, SUPPRESSING, 4",
        "false, COMPLETING_ELSEWHERE, 8",
    })
    void losesNoDoorbellAndNoInterrupt(boolean eventIndex, Worker worker, int size)
            throws Exception {
        try (TestMemory memory = new TestMemory()) {
            DriverRing driver = new DriverRing(memory, size, eventIndex);
            Signals signals = new Signals();
            QueuePort port = new QueuePort(0, size, memory.guestMemory().view("device"), signals);
            assertNull(port.enable(QueueRig.setup(driver, eventIndex, true)));
            AtomicReference<Throwable> thrown = new AtomicReference<>();
            BlockingQueue<DescriptorChain> handover = new ArrayBlockingQueue<>(size + 1);
            Thread device =
                    new Thread(
                            guarded(signals, thrown, () -> work(worker, port, signals, handover)));
            Thread completer =
                    new Thread(guarded(signals, thrown, () -> complete(port, signals, handover)));
            device.start();
            completer.start();
            try {
                drive(memory, driver, signals);
            } finally {
                signals.finish();
                device.join();
                completer.interrupt();
                completer.join();
            }
            assertNull(thrown.get());
            assertNull(signals.lost);
            assertEquals(CHAINS & 0xffff, driver.usedIndex());
            assertEquals(0, port.queue().outstanding());
        }
    }

    private static void drive(TestMemory memory, DriverRing driver, Signals signals)
            throws InterruptedException {
        int pairs = driver.size() / 2;
        long[] questions = new long[pairs];
        long[] answers = new long[pairs];
        int[] ofHead = new int[driver.size()];
        int[] free = new int[pairs];
        int freeCount = pairs;
        for (int i = 0; i < pairs; i++) {
            questions[i] = memory.allocate(8, 8);
            answers[i] = memory.allocate(8, 8);
            free[i] = i;
        }
        int sent = 0;
        int received = 0;
        while (received < CHAINS) {
            while (freeCount > 0 && sent < CHAINS) {
                int pair = free[--freeCount];
                memory.putLong(questions[pair], sent++);
                int head =
                        driver.add(
                                Buffer.readable(questions[pair], 8),
                                Buffer.writable(answers[pair], 8));
                ofHead[head] = pair;
                if (driver.publish()) {
                    signals.doorbell();
                }
            }
            driver.disableInterrupts();
            for (Used used = driver.collect(); ; used = driver.collect()) {
                if (used == null) {
                    break;
                }
                int pair = ofHead[used.head()];
                assertEquals(8, used.length());
                assertEquals(~memory.getLong(questions[pair]), memory.getLong(answers[pair]));
                free[freeCount++] = pair;
                received++;
            }
            boolean nothingToDo = freeCount == 0 || sent == CHAINS;
            if (received < CHAINS
                    && nothingToDo
                    && !driver.enableInterrupts()
                    && !signals.awaitInterrupt()) {
                return;
            }
        }
    }

    private static void work(
            Worker worker, QueuePort port, Signals signals, BlockingQueue<DescriptorChain> handover)
            throws InterruptedException {
        SplitQueue queue = port.queue();
        byte[] scratch = new byte[8];
        do {
            do {
                if (worker == Worker.SUPPRESSING) {
                    queue.disableNotifications();
                }
                for (DescriptorChain chain = queue.poll(); chain != null; chain = queue.poll()) {
                    if (worker == Worker.COMPLETING_ELSEWHERE) {
                        signals.handedOver();
                        handover.put(chain);
                    } else {
                        answer(queue, chain, scratch);
                    }
                }
                if (worker != Worker.COMPLETING_ELSEWHERE) {
                    queue.interrupt();
                }
            } while (worker == Worker.SUPPRESSING && queue.enableNotifications());
        } while (signals.awaitDoorbell());
    }

    private static void complete(
            QueuePort port, Signals signals, BlockingQueue<DescriptorChain> handover) {
        byte[] scratch = new byte[8];
        try {
            for (; ; ) {
                DescriptorChain chain = handover.take();
                answer(port.queue(), chain, scratch);
                port.queue().interrupt();
                signals.dealtWith();
            }
        } catch (InterruptedException e) {
            // The test is over.
            Thread.currentThread().interrupt();
        }
    }

    private static void answer(SplitQueue queue, DescriptorChain chain, byte[] scratch) {
        chain.read(0, scratch, 0, 8);
        for (int i = 0; i < 8; i++) {
            scratch[i] = (byte) ~scratch[i];
        }
        chain.write(0, scratch, 0, 8);
        queue.complete(chain, 8);
    }

    /** Work that may be interrupted. */
    private interface Work {
        void run() throws InterruptedException;
    }

    private static Runnable guarded(Signals signals, AtomicReference<Throwable> thrown, Work work) {
        return () -> {
            try {
                work.run();
            } catch (Throwable e) {
                thrown.compareAndSet(null, e);
                signals.fail("threw " + e);
            }
        };
    }
}
