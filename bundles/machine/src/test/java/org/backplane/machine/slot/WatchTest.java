package org.backplane.machine.slot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.backplane.device.context.DeviceContext;
import org.backplane.device.context.Watch;
import org.backplane.linux.EventFd;
import org.backplane.machine.MachineException;
import org.backplane.machine.slot.CounterDevice.Factory;
import org.backplane.machine.slot.CounterDevice.Fault;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Watches of one descriptor, an event that is always writable and readable once signalled. */
@Timeout(60)
class WatchTest {
    private final BlockingQueue<String> ran = new LinkedBlockingQueue<>();
    private CounterSlot rig;
    private EventFd event;
    private DeviceContext context;
    private Watch reading;
    private Watch writing;

    @BeforeEach
    void fill() throws Exception {
        event = EventFd.open();
        rig = new CounterSlot();
        rig.slot()
                .fill(
                        rig.code()
                                .offer(
                                        "counter",
                                        given -> {
                                            context = given;
                                            reading = given.onReadable(event, this::read);
                                            writing = given.onWritable(event, this::write);
                                            return new Factory(1, null).create(given);
                                        }));
    }

    @AfterEach
    void close() throws Exception {
        rig.close();
        event.close();
    }

    private void read() {
        event.drain();
        ran.add("read");
    }

    private void write() {
        writing.suspend();
        ran.add("write");
    }

    /** Runs on the same worker, hence after everything that it had to do when this was called. */
    private void afterARound() throws InterruptedException {
        for (int round = 0; round < 2; round++) {
            context.timer(() -> ran.add("round")).arm(0);
            while (!ran.take().equals("round")) {
                // What came before is not looked at here.
            }
        }
    }

    @Test
    void readingIsActiveAndWritingSuspendedAtFirst() throws Exception {
        event.signal();
        assertEquals("read", ran.take());
        afterARound();
        assertTrue(ran.isEmpty());
        writing.resume();
        assertEquals("write", ran.take());
    }

    @Test
    void suspendedWatchIsToldWhenItResumes() throws Exception {
        reading.suspend();
        event.signal();
        afterARound();
        assertTrue(ran.isEmpty());
        reading.resume();
        assertEquals("read", ran.take());
    }

    @Test
    void oneDirectionIsWatchedWhileTheOtherIsSuspended() throws Exception {
        reading.suspend();
        writing.resume();
        assertEquals("write", ran.take());
        event.signal();
        reading.resume();
        assertEquals("read", ran.take());
        writing.close();
        event.signal();
        assertEquals("read", ran.take());
    }

    @Test
    void watchesAreAsTheyWereAfterASwapThatWasTakenBack() throws Exception {
        writing.resume();
        assertEquals("write", ran.take());
        reading.suspend();
        event.signal();
        var refused = rig.offer(new Factory(2, Fault.RESTORE));
        assertThrows(MachineException.class, () -> rig.slot().swap(refused, false));
        afterARound();
        assertTrue(ran.isEmpty());
        reading.resume();
        assertEquals("read", ran.take());
    }
}
