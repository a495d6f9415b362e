package org.backplane.virtio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.backplane.testkit.DriverRing;
import org.backplane.testkit.DriverRing.Buffer;
import org.backplane.testkit.DriverRing.Used;
import org.backplane.testkit.TestMemory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The handshakes of a split virtqueue as litmus tests. In the two of virtio 1.2, section 2.7.10,
 * each side stores, then looks at what the other stores, and in no round may both miss. In that of
 * section 2.7.8 whoever sees the used index sees the entry. The two threads start each round
 * together, give or take some nanoseconds, so that the stores are still under way when the loads
 * are done.
 */
@Timeout(value = 600, unit = TimeUnit.SECONDS)
class HandshakeLitmusTest {
    private static final int ROUNDS = 20_000;
    private static final int SPINS_BEFORE_YIELD = 2_000;

    /** Lets two threads through together. */
    private static final class Gate {
        private final AtomicInteger arrived = new AtomicInteger();

        void pass(int round) {
            arrived.incrementAndGet();
            int spins = 0;
            while (arrived.get() < 2 * (round + 1)) {
                if (++spins > SPINS_BEFORE_YIELD) {
                    Thread.yield();
                } else {
                    Thread.onSpinWait();
                }
            }
        }

        void open() {
            arrived.set(Integer.MAX_VALUE / 2);
        }
    }

    /** What one side does in a round; true if it knows now that there is something to do. */
    private interface Side {
        boolean act();
    }

    private static void stagger(SplittableRandom random) {
        for (int i = random.nextInt(40); i > 0; i--) {
            Thread.onSpinWait();
        }
    }

    /** Runs both sides against each other; between rounds {@code settle} runs alone. */
    private static int missedByBoth(Side device, Side driver, Runnable settle) throws Exception {
        Gate start = new Gate();
        Gate end = new Gate();
        boolean[] saw = new boolean[1];
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Thread other =
                new Thread(
                        () -> {
                            SplittableRandom random = new SplittableRandom(1);
                            try {
                                for (int round = 0; round < ROUNDS; round++) {
                                    start.pass(round);
                                    stagger(random);
                                    saw[0] = device.act();
                                    end.pass(round);
                                }
                            } catch (Throwable e) {
                                thrown.set(e);
                                end.open();
                            }
                        });
        other.start();
        SplittableRandom random = new SplittableRandom(2);
        int missed = 0;
        for (int round = 0; round < ROUNDS && thrown.get() == null; round++) {
            start.pass(round);
            stagger(random);
            boolean driverSaw = driver.act();
            end.pass(round);
            missed += saw[0] || driverSaw ? 0 : 1;
            settle.run();
        }
        start.open();
        other.join();
        assertNull(thrown.get());
        return missed;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aChainIsSeenOrItsDoorbellIsRung(boolean eventIndex) throws Exception {
        try (QueueRig rig = new QueueRig(4, eventIndex)) {
            Buffer buffer = rig.writable(8);
            DriverRing ring = rig.driver;
            rig.queue.disableNotifications();
            int missed =
                    missedByBoth(
                            rig.queue::enableNotifications,
                            () -> {
                                ring.add(buffer);
                                return ring.publish();
                            },
                            () -> {
                                DescriptorChain chain = rig.queue.poll();
                                assertNotNull(chain);
                                rig.queue.complete(chain, 0);
                                rig.queue.disableNotifications();
                                ring.collect();
                            });
            assertEquals(0, missed, "chains that nobody would have come for");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aUsedChainIsSeenOrItsInterruptComes(boolean eventIndex) throws Exception {
        try (TestMemory memory = new TestMemory()) {
            AtomicInteger interrupts = new AtomicInteger();
            QueueTransport transport =
                    new QueueTransport() {
                        @Override
                        public void usedBuffers(int queue) {
                            interrupts.incrementAndGet();
                        }

                        @Override
                        public void broken(int queue, String reason) {
                            throw new AssertionError(reason);
                        }
                    };
            QueuePort port = new QueuePort(0, 4, memory.guestMemory().view("device"), transport);
            DriverRing ring = new DriverRing(memory, 4, eventIndex);
            assertNull(port.enable(QueueRig.setup(ring, eventIndex, false)));
            Buffer buffer = Buffer.writable(memory.allocate(8, 8), 8);
            SplitQueue queue = port.queue();
            DescriptorChain[] next = new DescriptorChain[1];
            Runnable settle =
                    () -> {
                        ring.collect();
                        ring.disableInterrupts();
                        ring.add(buffer);
                        ring.publish();
                        next[0] = queue.poll();
                        interrupts.set(0);
                    };
            settle.run();
            int missed =
                    missedByBoth(
                            () -> {
                                queue.complete(next[0], 0);
                                queue.interrupt();
                                return interrupts.get() > 0;
                            },
                            ring::enableInterrupts,
                            settle);
            assertEquals(0, missed, "used chains that nobody would have collected");
        }
    }

    @Test
    void whoSeesTheUsedIndexSeesTheEntry() throws Exception {
        try (QueueRig rig = new QueueRig(4, true)) {
            Buffer buffer = rig.writable(64);
            DriverRing ring = rig.driver;
            DescriptorChain[] next = new DescriptorChain[1];
            int[] written = new int[1];
            Runnable settle =
                    () -> {
                        ring.add(buffer);
                        ring.publish();
                        next[0] = rig.queue.poll();
                        written[0] = (written[0] + 1) % 64;
                    };
            settle.run();
            int stale =
                    missedByBoth(
                            () -> {
                                rig.queue.complete(next[0], written[0]);
                                return false;
                            },
                            () -> {
                                Used used = ring.collect();
                                while (used == null) {
                                    Thread.onSpinWait();
                                    used = ring.collect();
                                }
                                return used.equals(new Used(next[0].head(), written[0]));
                            },
                            settle);
            assertEquals(0, stale, "entries that were not there yet");
        }
    }
}
