package org.backplane.machine.slot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.backplane.machine.processor.MachineThread;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 30, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ResetWaitTest {
    private final ResetWait wait = new ResetWait();
    private final AtomicBoolean done = new AtomicBoolean();

    /** How often somebody saw that it does not hold. */
    private final AtomicInteger inVain = new AtomicInteger();

    private boolean done() {
        boolean now = done.get();
        if (!now) {
            inVain.incrementAndGet();
        }
        return now;
    }

    /** A processor that notes what the machine hears of it. */
    private static final class Processor extends MachineThread {
        private final List<String> heard = Collections.synchronizedList(new ArrayList<>());
        private final CompletableFuture<Runnable> wake = new CompletableFuture<>();
        private final AtomicBoolean abandoned = new AtomicBoolean();

        Processor(Runnable work) {
            super("vcpu", work);
        }

        @Override
        public void parking(Runnable waker) {
            heard.add("parking");
            wake.complete(waker);
        }

        @Override
        public boolean abandoned() {
            return abandoned.get();
        }

        @Override
        public void unparking() {
            heard.add("unparking");
        }
    }

    private Thread waiting() {
        var thread = new Thread(() -> wait.until(this::done));
        thread.start();
        return thread;
    }

    private static void await(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            Thread.onSpinWait();
        }
    }

    private static void awaitParked(Thread thread) {
        await(() -> thread.getState() == Thread.State.WAITING);
    }

    @Test
    void nobodyWaitsForWhatHolds() {
        done.set(true);
        wait.until(this::done);
        assertEquals(0, inVain.get());
    }

    @Test
    void allWhoWaitGoOnWhenItHolds() throws Exception {
        List<Thread> threads = List.of(waiting(), waiting(), waiting());
        threads.forEach(ResetWaitTest::awaitParked);
        done.set(true);
        wait.look();
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(threads.size(), inVain.get());
    }

    @Test
    void aLookThatComesTooEarlyLetsNobodyGoOn() throws Exception {
        Thread thread = waiting();
        awaitParked(thread);
        wait.look();
        await(() -> inVain.get() == 2);
        awaitParked(thread);
        done.set(true);
        wait.look();
        thread.join();
    }

    /** As when the reset is done between a processor's look and its wait. */
    @Test
    void noLookIsMissed() {
        var made = new AtomicBoolean();
        wait.until(
                () -> {
                    if (!made.getAndSet(true)) {
                        var maker =
                                new Thread(
                                        () -> {
                                            done.set(true);
                                            wait.look();
                                        });
                        maker.start();
                        // Its look is over, and would be missed, or has to wait for this thread.
                        await(
                                () ->
                                        maker.getState() == Thread.State.WAITING
                                                || maker.getState() == Thread.State.TERMINATED);
                        return false;
                    }
                    return done.get();
                });
        assertTrue(done.get());
    }

    @Test
    void aProcessorCountsAsParkedAsLongAsItWaits() throws Exception {
        var processor = new Processor(() -> wait.until(this::done));
        processor.start();
        awaitParked(processor);
        assertEquals(List.of("parking"), processor.heard);
        done.set(true);
        wait.look();
        processor.join();
        assertEquals(List.of("parking", "unparking"), processor.heard);
    }

    @Test
    void aProcessorThatIsToGiveUpGoesOnThoughItDoesNotHold() throws Exception {
        var processor = new Processor(() -> wait.until(this::done));
        processor.start();
        awaitParked(processor);
        processor.abandoned.set(true);
        processor.wake.get().run();
        processor.join();
        assertEquals(List.of("parking", "unparking"), processor.heard);
    }

    @Test
    void aProcessorWhoseLookFailsIsNotLeftParked() throws Exception {
        var failed = new CompletableFuture<Throwable>();
        BooleanSupplier broken =
                () -> {
                    throw new IllegalStateException("broken");
                };
        var processor =
                new Processor(
                        () ->
                                failed.complete(
                                        assertThrows(
                                                IllegalStateException.class,
                                                () -> wait.until(broken))));
        processor.start();
        assertEquals("broken", failed.get().getMessage());
        processor.join();
        assertEquals(List.of("parking", "unparking"), processor.heard);
        // Nor is the lock.
        done.set(true);
        wait.until(this::done);
        wait.look();
    }
}
