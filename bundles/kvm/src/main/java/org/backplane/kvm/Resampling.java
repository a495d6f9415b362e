package org.backplane.kvm;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.Vm;
import org.backplane.linux.Epoll;
import org.backplane.linux.EventFd;
import org.backplane.linux.LinuxException;

/**
 * Tells listeners when the guest has finished with a level interrupt. KVM signals an eventfd then;
 * one thread waits for all of them, and is there from the first listener on.
 */
final class Resampling implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Resampling.class.getName());

    private final String name;
    private final InterruptRoutes routes;
    private final Map<Long, Watch> watches = new ConcurrentHashMap<>();
    private Epoll epoll;
    private long tokens;
    private boolean closed;

    /**
     * @param name of the VM
     */
    Resampling(String name, InterruptRoutes routes) {
        this.name = name;
        this.routes = routes;
    }

    synchronized Vm.Lease on(int source, Runnable listener) throws HypervisorException {
        if (closed) {
            throw new IllegalStateException("the VM is closed");
        }
        try {
            if (epoll == null) {
                epoll = Epoll.open();
                Thread thread = new Thread(this::loop, name + "/resample");
                thread.setDaemon(true);
                thread.start();
            }
            long token = tokens++;
            Watch watch = new Watch(token, listener);
            watches.put(token, watch);
            watch.open(source);
            return watch;
        } catch (LinuxException e) {
            throw new HypervisorException(
                    "The end of interrupt %d cannot be listened for: %s."
                            .formatted(source, e.getMessage()),
                    e);
        }
    }

    private void loop() {
        try {
            while (true) {
                int count = epoll.await(-1);
                for (int i = 0; i < count; i++) {
                    Watch watch = watches.get(epoll.token(i));
                    if (watch != null) {
                        watch.call();
                    }
                }
            }
        } catch (LinuxException e) {
            synchronized (this) {
                if (!closed) {
                    LOG.log(System.Logger.Level.ERROR, "level interrupts of " + name + " stop", e);
                }
            }
        }
    }

    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        // Not under this lock: a listener that runs may ask for it.
        watches.values().forEach(Watch::close);
        if (epoll != null) {
            epoll.close();
        }
    }

    /** What one listener holds, latest first. */
    private final class Watch implements Vm.Lease {
        private final long token;
        private final Runnable listener;
        private final Deque<Runnable> held = new ArrayDeque<>();
        private EventFd finished;

        Watch(long token, Runnable listener) {
            this.token = token;
            this.listener = listener;
        }

        synchronized void open(int source) throws LinuxException, HypervisorException {
            try {
                held.push(() -> watches.remove(token));
                finished = EventFd.open();
                held.push(finished::close);
                // Never signalled: who drives the line does so by its level.
                EventFd unused = EventFd.open();
                held.push(unused::close);
                Vm.Lease line = routes.line(unused, finished, source);
                held.push(line::close);
                epoll.add(finished, Epoll.READABLE, token);
            } catch (LinuxException | HypervisorException e) {
                close();
                throw e;
            }
        }

        /** Under the lock, so that nobody is called once it is closed; by the listener too. */
        synchronized void call() {
            long times = held.isEmpty() ? 0 : finished.drain();
            for (long i = 0; i < times && !held.isEmpty(); i++) {
                try {
                    listener.run();
                } catch (RuntimeException e) {
                    LOG.log(System.Logger.Level.ERROR, "a listener of " + name + " failed", e);
                }
            }
        }

        @Override
        public synchronized void close() {
            while (!held.isEmpty()) {
                held.pop().run();
            }
        }
    }
}
