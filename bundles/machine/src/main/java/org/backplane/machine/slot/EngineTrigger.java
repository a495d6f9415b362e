package org.backplane.machine.slot;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Optional;
import org.backplane.hypervisor.EventRoutes;
import org.backplane.hypervisor.EventRoutes.MessageRoute;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.linux.Epoll;
import org.backplane.linux.EventFd;
import org.backplane.linux.LinuxException;
import org.backplane.pci.VectorTriggers;

/**
 * Signals of an eventfd on their way to a vector: by a route of the engine, without a thread of
 * this process, or by the slot's event loop where the engine has none or the message may not leave
 * now. What comes while one takes over from the other stays in the eventfd. Thread-safe.
 */
final class EngineTrigger implements VectorTriggers.Trigger {
    private static final Logger LOG = System.getLogger(EngineTrigger.class.getName());

    private final String slot;
    private final Optional<EventRoutes> routes;
    private final EventLoop events;
    private final EventFd event;
    private final Runnable signalled;

    private MessageRoute route;
    private EventLoop.Watch watch;

    /** The engine refused once: there are as many routes as there are. */
    private boolean refused;

    /** The log has been told of a route that cannot be switched off. */
    private boolean staysOn;

    private boolean closed;

    /**
     * @param slot for messages
     * @param routes the engine's, if it has any
     */
    EngineTrigger(
            String slot,
            Optional<EventRoutes> routes,
            EventLoop events,
            EventFd event,
            Runnable signalled) {
        this.slot = slot;
        this.routes = routes;
        this.events = events;
        this.event = event;
        this.signalled = signalled;
    }

    @Override
    public synchronized void deliver(long address, int data) {
        if (!closed && !byRoute(address, data)) {
            report();
        }
    }

    private boolean byRoute(long address, int data) {
        if (routes.isEmpty() || refused) {
            return false;
        }
        try {
            if (route == null) {
                route = routes.get().message(event);
            }
            unwatch();
            route.set(address, data);
            return true;
        } catch (HypervisorException e) {
            refused = true;
            LOG.log(
                    Level.WARNING,
                    () -> "%s: interrupts take the way over a thread: %s".formatted(slot, e));
            return false;
        }
    }

    @Override
    public synchronized void report() {
        if (closed) {
            return;
        }
        leaveRoute();
        if (watch == null) {
            try {
                watch = events.watch(event, Epoll.READABLE, this::take);
            } catch (LinuxException e) {
                LOG.log(Level.ERROR, slot + ": an eventfd cannot be waited for", e);
            }
        }
    }

    private void take() {
        if (event.drain() > 0) {
            signalled.run();
        }
    }

    @Override
    public synchronized void hold() {
        leaveRoute();
        unwatch();
    }

    /**
     * On a processor, in the guest's access: a route that stays on is no reason to end that. It is
     * not set again, and what it delivers meanwhile is an interrupt that the guest did not ask for.
     */
    private void leaveRoute() {
        if (route == null) {
            return;
        }
        try {
            route.off();
        } catch (HypervisorException e) {
            LOG.log(
                    staysOn ? Level.DEBUG : Level.WARNING,
                    () ->
                            "%s: an interrupt still goes where the guest wanted it before: %s"
                                    .formatted(slot, e.getMessage()));
            refused = true;
            staysOn = true;
        }
    }

    private void unwatch() {
        if (watch != null) {
            watch.close();
            watch = null;
        }
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            hold();
            if (route != null) {
                route.close();
            }
        }
    }
}
