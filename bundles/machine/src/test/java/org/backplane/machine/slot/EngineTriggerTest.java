package org.backplane.machine.slot;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.backplane.hypervisor.EventRoutes;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.Vm;
import org.backplane.linux.EventFd;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The two ways of an eventfd's signals to a vector. */
@Timeout(60)
class EngineTriggerTest {
    private final BlockingQueue<String> seen = new LinkedBlockingQueue<>();
    private final EventLoop events = new EventLoop("test", System::nanoTime);
    private EventFd event;

    @BeforeEach
    void open() throws Exception {
        event = EventFd.open();
    }

    @AfterEach
    void close() {
        events.close();
        event.close();
    }

    private EngineTrigger trigger(Optional<EventRoutes> routes) {
        return new EngineTrigger("nvme0", routes, events, event, () -> seen.add("signalled"));
    }

    /** An engine's routes, which tell what is done with them. */
    private final class Routes implements EventRoutes {
        private final int most;
        private int made;
        private boolean staysOn;

        Routes(int most) {
            this.most = most;
        }

        @Override
        public MessageRoute message(EventFd given) throws HypervisorException {
            assertEquals(event, given);
            if (made == most) {
                throw new HypervisorException("all routes are taken");
            }
            made++;
            return new MessageRoute() {
                @Override
                public void set(long address, int data) {
                    seen.add("on %x=%x".formatted(address, data));
                }

                @Override
                public void off() throws HypervisorException {
                    if (staysOn) {
                        throw new HypervisorException("it stays on");
                    }
                    seen.add("off");
                }

                @Override
                public void close() {
                    seen.add("closed");
                }
            };
        }

        @Override
        public Vm.Lease line(EventFd trigger, EventFd resample, int source) {
            throw new AssertionError("no line was asked for");
        }
    }

    @Test
    void theEventLoopCarriesSignalsWhereTheEngineCannot() throws Exception {
        EngineTrigger trigger = trigger(Optional.empty());
        event.signal();
        trigger.deliver(0x1000, 7);
        assertEquals("signalled", seen.take());
        event.signal();
        assertEquals("signalled", seen.take());
        trigger.hold();
        event.signal();
        trigger.report();
        assertEquals("signalled", seen.take());
        trigger.close();
        event.signal();
        assertEquals(1, event.drain());
    }

    @Test
    void theEngineHasTheEventfdToItselfWhileItDelivers() throws Exception {
        EngineTrigger trigger = trigger(Optional.of(new Routes(1)));
        trigger.report();
        event.signal();
        assertEquals("signalled", seen.take());
        trigger.deliver(0x1000, 7);
        assertEquals("on 1000=7", seen.take());
        event.signal();
        trigger.deliver(0x2000, 8);
        assertEquals("on 2000=8", seen.take());
        // The one from before was the engine's to take, which this one does not.
        assertEquals(1, event.drain());
        trigger.report();
        assertEquals("off", seen.take());
        event.signal();
        assertEquals("signalled", seen.take());
        trigger.close();
        assertEquals("off", seen.take());
        assertEquals("closed", seen.take());
        trigger.close();
        assertEquals(0, seen.size());
    }

    @Test
    void signalsTakeTheEventLoopOnceTheEnginesRoutesAreUsedUp() throws Exception {
        EngineTrigger trigger = trigger(Optional.of(new Routes(0)));
        trigger.deliver(0x1000, 7);
        event.signal();
        assertEquals("signalled", seen.take());
        trigger.close();
    }

    @Test
    void aRouteThatStaysOnEndsNoAccessOfTheGuestAndIsNotSetAgain() throws Exception {
        Routes routes = new Routes(1);
        EngineTrigger trigger = trigger(Optional.of(routes));
        trigger.deliver(0x1000, 7);
        assertEquals("on 1000=7", seen.take());
        routes.staysOn = true;
        trigger.hold();
        trigger.deliver(0x2000, 8);
        event.signal();
        assertEquals("signalled", seen.take());
        routes.staysOn = false;
        trigger.hold();
        assertEquals("off", seen.take());
        trigger.close();
        assertEquals("off", seen.take());
        assertEquals("closed", seen.take());
    }
}
