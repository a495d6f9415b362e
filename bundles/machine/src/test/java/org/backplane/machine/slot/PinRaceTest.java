package org.backplane.machine.slot;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Bus;
import org.backplane.bus.Space;
import org.backplane.device.context.Lease;
import org.backplane.linux.EventFd;
import org.backplane.pci.BarHandler;
import org.backplane.pci.HostBridge;
import org.backplane.pci.PciFunction;
import org.backplane.pci.PciShape;
import org.backplane.pci.PciWires;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A pin by eventfds whose guest disables and enables it all the time, so that it goes over from the
 * kernel's route to threads and back: no request of the device is lost. The kernel, the device and
 * the guest are a thread each.
 */
@Timeout(120)
class PinRaceTest {
    private static final int REQUESTS = 300;
    private static final int ENABLED = 0x004;
    private static final int DISABLED = 0x404;

    private final EventLoop events = new EventLoop("test", System::nanoTime);
    private final AtomicBoolean done = new AtomicBoolean();

    // The line: the level that this process sets, and the route's.
    private volatile boolean level;
    private final AtomicBoolean routeLevel = new AtomicBoolean();
    private volatile EventFd routed;
    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();

    /** Whether the device asks for service. */
    private volatile boolean asserted;

    private final AtomicInteger served = new AtomicInteger();
    private EventFd trigger;
    private EventFd resample;

    /** An interrupt controller, and a kernel that carries eventfds to its one line. */
    private final class Controller implements HostBridge.PinRouter {
        @Override
        public void set(int device, int pin, boolean high) {
            level = high;
        }

        @Override
        public Lease onFinished(int device, int pin, Runnable listener) {
            listeners.add(listener);
            return () -> listeners.remove(listener);
        }

        @Override
        public Optional<Lease> route(int device, int pin, EventFd event, EventFd end) {
            routed = event;
            return Optional.of(this::leave);
        }

        private void leave() {
            synchronized (routeLevel) {
                routed = null;
                routeLevel.set(false);
            }
        }
    }

    private static final class Card implements BarHandler {
        @Override
        public long read(int bar, long offset, int width) {
            return -1;
        }

        @Override
        public void write(int bar, long offset, int width, long value) {
            throw new AssertionError("no BAR");
        }
    }

    private PciFunction plug() throws Exception {
        Bus bus = new Bus();
        var bridge =
                new HostBridge(
                        bus,
                        new HostBridge.Windows(
                                null,
                                bus.addWindow(
                                        "mmio", Space.MMIO, new AddressRange(1 << 30, 1 << 20)),
                                null),
                        (address, data) -> {},
                        new Controller());
        var shape = new PciShape(1, 2, 0, 0, 0, 0, 1, List.of(), List.of(), Optional.empty());
        return bridge.plug("card", -1, shape, new Card());
    }

    /** The kernel's part of the route: takes what is signalled while there is a route. */
    private void carry() {
        while (!done.get()) {
            synchronized (routeLevel) {
                EventFd event = routed;
                if (event != null && event.drain() > 0) {
                    routeLevel.set(true);
                }
            }
            Thread.yield();
        }
    }

    /** Masked by its own interrupt, as VFIO masks; the other eventfd unmasks. */
    private void request() {
        for (int i = 0; i < REQUESTS; i++) {
            asserted = true;
            trigger.signal();
            while (asserted) {
                if (resample.drain() > 0 && asserted) {
                    trigger.signal();
                }
                Thread.yield();
            }
        }
        done.set(true);
    }

    /** Serves what it is interrupted for, and ends the interrupt. */
    private void serve() {
        while (!done.get()) {
            if (level || routeLevel.get()) {
                if (asserted) {
                    served.incrementAndGet();
                    asserted = false;
                }
                synchronized (routeLevel) {
                    if (routed != null) {
                        routeLevel.set(false);
                        resample.signal();
                    }
                }
                listeners.forEach(Runnable::run);
            }
            Thread.yield();
        }
    }

    @Test
    void noRequestIsLostHoweverOftenTheGuestDisablesThePin() throws Exception {
        try (EventFd first = EventFd.open();
                EventFd second = EventFd.open()) {
            trigger = first;
            resample = second;
            PciFunction function = plug();
            PciWires wires =
                    function.deviceWires(
                            (event, signalled) ->
                                    new EngineTrigger(
                                            "card", Optional.empty(), events, event, signalled),
                            true);
            Lease lease = wires.attach(trigger, resample);
            function.connect(wires);
            List<Thread> threads =
                    List.of(
                            new Thread(this::carry),
                            new Thread(this::request),
                            new Thread(this::serve));
            threads.forEach(Thread::start);
            // Interrupted by the safety net.
            while (!done.get() && !Thread.currentThread().isInterrupted()) {
                function.writeConfig(4, 2, DISABLED);
                function.writeConfig(4, 2, ENABLED);
                Thread.yield();
            }
            for (Thread thread : threads) {
                thread.join();
            }
            lease.close();
            assertEquals(REQUESTS, served.get());
        } finally {
            done.set(true);
            events.close();
        }
    }
}
