package org.backplane.machine.slot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.context.TimerLease;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.backplane.machine.MachineException;
import org.backplane.machine.processor.MachineThread;
import org.backplane.machine.slot.CounterDevice.Factory;
import org.backplane.machine.slot.Factories.Offer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a device was handed, while another is about to take its place. */
@Timeout(60)
class AttachmentTest {
    private final AtomicInteger expired = new AtomicInteger();
    private final CountDownLatch marked = new CountDownLatch(1);
    private CounterSlot rig;
    private TimerLease timer;
    private TimerLease marker;

    @BeforeEach
    void fill() throws Exception {
        rig = new CounterSlot();
        rig.slot()
                .fill(
                        rig.code()
                                .offer(
                                        "counter",
                                        context -> {
                                            timer = context.timer(expired::incrementAndGet);
                                            marker = context.timer(marked::countDown);
                                            return new Factory(1, null).create(context);
                                        }));
    }

    @AfterEach
    void close() throws Exception {
        rig.close();
    }

    /** Refuses every state, after it did something behind the closed gate. */
    private record Refuser(Runnable first) implements Device {
        @Override
        public SaveSupport saveSupport() {
            return new SaveSupport.Saveable(
                    () -> SavedState.of("counter", 1).build(),
                    state -> {
                        first.run();
                        throw new DeviceException("it does not like the state");
                    });
        }

        @Override
        public boolean idle() {
            return true;
        }

        @Override
        public void start() {}

        @Override
        public void quiesce() {}

        @Override
        public void resume() {}

        @Override
        public void reset() {}

        @Override
        public void close() {}
    }

    private static void awaitParkedEventLoop() {
        while (MachineThread.all().stream()
                .noneMatch(
                        thread ->
                                thread.getName().equals("c0/events")
                                        && thread.getState() == Thread.State.WAITING)) {
            Thread.onSpinWait();
        }
    }

    /** Guest time stands at 0, so what is armed for 0 is due. */
    @Test
    void timerThatIsDisarmedWhileItsCallbackIsParkedStaysSilent() throws Exception {
        Offer next =
                rig.code()
                        .offer(
                                "counter",
                                context ->
                                        new Refuser(
                                                () -> {
                                                    timer.arm(0);
                                                    awaitParkedEventLoop();
                                                    timer.disarm();
                                                }));
        String refusal =
                assertThrows(MachineException.class, () -> rig.slot().swap(next, false))
                        .getMessage();
        assertTrue(refusal.contains("it does not like the state"), refusal);
        marker.arm(0);
        marked.await();
        assertEquals(0, expired.get());
    }
}
