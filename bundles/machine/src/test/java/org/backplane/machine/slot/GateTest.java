package org.backplane.machine.slot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.backplane.machine.processor.MachineThread;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class GateTest {
    private static final Duration LONG = Duration.ofSeconds(20);

    private final Gate gate = new Gate(thread -> {});

    @Test
    void letsInWhileOpen() {
        assertTrue(enter());
        assertEquals("open, 1 inside", gate.toString());
        gate.leave(gate.generation());
        assertEquals("open, 0 inside", gate.toString());
    }

    @Test
    void parksArrivalsUntilItOpens() throws Exception {
        assertTrue(gate.close(LONG));
        var entered = new CompletableFuture<Boolean>();
        var arrival = new Thread(() -> entered.complete(enter()));
        arrival.start();
        awaitWaiting(arrival);
        assertFalse(entered.isDone());
        gate.open();
        assertTrue(entered.get());
    }

    @Test
    void closingWaitsForThoseInside() throws Exception {
        assertTrue(enter());
        var closed = new CompletableFuture<Boolean>();
        var closer =
                new Thread(
                        () -> {
                            try {
                                closed.complete(gate.close(LONG));
                            } catch (InterruptedException e) {
                                closed.completeExceptionally(e);
                            }
                        });
        closer.start();
        awaitWaiting(closer);
        assertFalse(closed.isDone());
        gate.leave(gate.generation());
        assertTrue(closed.get());
    }

    @Test
    void closingGivesUpAfterItsBoundAndNamesWhoIsInside() throws Exception {
        var inside = new CountDownLatch(1);
        var out = new CountDownLatch(1);
        var stuck =
                new MachineThread(
                        "disk0/stuck",
                        () -> {
                            gate.enter();
                            inside.countDown();
                            try {
                                out.await();
                            } catch (InterruptedException e) {
                                Thread.currentThread().interrupt();
                            }
                            gate.leave(gate.generation());
                        });
        stuck.start();
        inside.await();
        assertFalse(gate.close(Duration.ZERO));
        assertTrue(gate.insiders().contains("disk0/stuck"), gate.insiders());
        out.countDown();
        assertTrue(gate.close(LONG));
        assertFalse(gate.insiders().contains("disk0/stuck"));
    }

    @Test
    void refusingSendsAwayThoseThatParked() throws Exception {
        assertTrue(gate.close(LONG));
        var entered = new CompletableFuture<Boolean>();
        var arrival = new Thread(() -> entered.complete(enter()));
        arrival.start();
        awaitWaiting(arrival);
        gate.refuse();
        assertFalse(entered.get());
        assertFalse(enter());
        gate.open();
        assertTrue(enter());
    }

    @Test
    void abandonedThreadComesBackRefused() throws Exception {
        assertTrue(gate.close(LONG));
        var entered = new CompletableFuture<Boolean>();
        var wake = new CompletableFuture<Runnable>();
        var abandoned = new AtomicBoolean();
        var arrival =
                new MachineThread("vcpu", () -> entered.complete(enter())) {
                    @Override
                    public void parking(Runnable waker) {
                        wake.complete(waker);
                    }

                    @Override
                    public boolean abandoned() {
                        return abandoned.get();
                    }
                };
        arrival.start();
        awaitWaiting(arrival);
        abandoned.set(true);
        wake.get().run();
        assertFalse(entered.get());
    }

    @Test
    void nobodyIsInsideWhileItIsClosed() throws Exception {
        var inside = new AtomicInteger();
        var ended = new AtomicBoolean();
        var threads = new Thread[3];
        for (int i = 0; i < threads.length; i++) {
            threads[i] =
                    new Thread(
                            () -> {
                                while (!ended.get()) {
                                    if (enter()) {
                                        inside.incrementAndGet();
                                        inside.decrementAndGet();
                                        gate.leave(gate.generation());
                                    }
                                }
                            });
            threads[i].start();
        }
        for (int round = 0; round < 2_000; round++) {
            assertTrue(gate.close(LONG));
            assertEquals(0, inside.get());
            gate.open();
        }
        ended.set(true);
        for (Thread thread : threads) {
            thread.join();
        }
    }

    private boolean enter() {
        return gate.enter() >= 0;
    }

    @Test
    void threadThatWasAbandonedIsToldWhenItLeavesAndCountsNoMore() throws Exception {
        var inside = new CountDownLatch(1);
        var out = new CountDownLatch(1);
        var kept = new CompletableFuture<Boolean>();
        var replaced = new CountDownLatch(1);
        var stuck =
                new MachineThread(
                        "stuck",
                        () -> {
                            long ticket = gate.enter();
                            inside.countDown();
                            try {
                                out.await();
                            } catch (InterruptedException e) {
                                Thread.currentThread().interrupt();
                            }
                            kept.complete(gate.leave(ticket));
                        }) {
                    @Override
                    public void replace() {
                        replaced.countDown();
                    }
                };
        stuck.start();
        inside.await();
        assertFalse(gate.close(Duration.ZERO));
        assertEquals(List.of(stuck), gate.abandon());
        replaced.await();
        assertTrue(gate.close(LONG), "the abandoned thread counts");
        gate.open();
        long ticket = gate.enter();
        out.countDown();
        assertFalse(kept.get());
        assertTrue(stuck.orphaned());
        assertFalse(gate.close(Duration.ZERO), "the abandoned thread counted another out");
        assertTrue(gate.leave(ticket));
        assertTrue(gate.close(LONG));
    }

    @Test
    void threadThatLeftInTimeIsNotAbandoned() throws Exception {
        var left = new CountDownLatch(1);
        var thread =
                new MachineThread(
                        "in time",
                        () -> {
                            gate.leave(gate.enter());
                            left.countDown();
                        });
        thread.start();
        left.await();
        assertTrue(gate.close(LONG));
        assertEquals(List.of(), gate.abandon());
        assertFalse(thread.orphaned());
    }

    @Test
    void ticketsTellOneDeviceFromTheNext() throws Exception {
        long before = gate.enter();
        gate.leave(before);
        assertTrue(gate.close(LONG));
        gate.open();
        assertEquals(before, gate.enter());
        gate.leave(before);
        assertTrue(gate.close(LONG));
        gate.changeOver();
        gate.open();
        long next = gate.enter();
        assertNotEquals(before, next);
        assertTrue(Gate.earlier(before, next));
        assertFalse(Gate.earlier(next, before));
        assertFalse(Gate.earlier(next, next));
    }

    private static void awaitWaiting(Thread thread) {
        while (thread.getState() != Thread.State.WAITING
                && thread.getState() != Thread.State.TIMED_WAITING) {
            Thread.onSpinWait();
        }
    }
}
