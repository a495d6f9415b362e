package org.backplane.machine.slot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;
import org.backplane.device.DeviceException;
import org.backplane.linux.EventFd;
import org.backplane.machine.board.LeaseStack;
import org.backplane.machine.processor.MachineThread;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How long a device is waited for, and how long the host is. */
@Timeout(60)
final class DeviceCallsTest {
    private final ExecutorService threads =
            Executors.newCachedThreadPool(work -> new MachineThread("test", work));
    private final DeviceCalls calls = new DeviceCalls("c0", threads, Duration.ofMillis(1));
    private final CountDownLatch release = new CountDownLatch(1);
    private final AtomicInteger asked = new AtomicInteger();

    @AfterEach
    void end() {
        release.countDown();
        threads.shutdown();
    }

    private String made() throws InterruptedException {
        release.await();
        return "made";
    }

    @Test
    void waitsOnAsLongAsThereIsPatience() throws Exception {
        IntSupplier patience =
                () -> {
                    if (asked.incrementAndGet() == 3) {
                        release.countDown();
                    }
                    return 4;
                };
        assertEquals("made", calls.call("create", patience, this::made));
    }

    @Test
    void givesUpCodeThatOpensNothing() {
        DeviceException refusal =
                assertThrows(
                        DeviceException.class, () -> calls.call("create", () -> 1, this::made));
        assertEquals(
                "its create did not return within 1 ms; its stack is in the log",
                refusal.getMessage());
    }

    @Test
    void givesUpWhenItHasNoPatienceLeft() {
        assertThrows(
                DeviceException.class, () -> calls.call("create", this::lessAndLess, this::made));
        assertEquals(3, asked.get());
    }

    private int lessAndLess() {
        return 6 - asked.incrementAndGet();
    }

    @Test
    void tellsThatSomethingIsBeingOpened() throws Exception {
        try (var leases = new LeaseStack("c0")) {
            var kept = new KeptResources(leases, new SharedResources());
            EventFd one = EventFd.open();
            EventFd two = EventFd.open();
            kept.get("one", EventFd.class, () -> opened(kept, one));
            kept.shared("two", EventFd.class, () -> opened(kept, two));
            assertFalse(kept.opening());
            assertThrows(
                    DeviceException.class,
                    () ->
                            kept.get(
                                    "three",
                                    EventFd.class,
                                    () -> {
                                        throw new DeviceException("there is none");
                                    }));
            assertFalse(kept.opening());
        }
    }

    private static EventFd opened(KeptResources kept, EventFd descriptor) {
        assertTrue(kept.opening());
        return descriptor;
    }
}
