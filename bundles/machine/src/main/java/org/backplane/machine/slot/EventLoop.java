package org.backplane.machine.slot;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.LongSupplier;
import org.backplane.linux.Epoll;
import org.backplane.linux.Fd;
import org.backplane.linux.LinuxException;
import org.backplane.machine.processor.MachineThread;

/**
 * A slot's one worker for everything but queues: descriptors that become ready, timers on guest
 * time, and callbacks posted to it. Its thread waits here, in machine code, and starts when it is
 * first needed. Thread-safe.
 */
final class EventLoop implements AutoCloseable {
    private static final Logger LOG = System.getLogger(EventLoop.class.getName());
    private static final long NANOS_PER_MILLI = 1_000_000;
    private static final int FOREVER = -1;

    /** How long a paused timer sleeps at most before it looks at guest time again. */
    private static final int LONGEST_WAIT_MILLIS = 60_000;

    private final String name;
    private final LongSupplier guestTime;
    private final Queue<Runnable> posted = new ConcurrentLinkedQueue<>();
    // Guarded by this.
    private final Map<Fd, Registration> registrations = new HashMap<>();
    private final Map<Long, Registration> byToken = new HashMap<>();
    private final List<Timer> timers = new ArrayList<>();
    private Epoll epoll;
    private long nextToken;
    private boolean closed;

    EventLoop(String name, LongSupplier guestTime) {
        this.name = name;
        this.guestTime = guestTime;
    }

    /** Waits for one direction of a descriptor, {@link Epoll#READABLE} or WRITABLE. */
    final class Watch implements AutoCloseable {
        private final Fd descriptor;
        private final int direction;
        private final Runnable callback;

        private Watch(Fd descriptor, int direction, Runnable callback) {
            this.descriptor = descriptor;
            this.direction = direction;
            this.callback = callback;
        }

        /** Waits no more; what is under way goes on. */
        @Override
        public void close() {
            unwatch(this);
        }
    }

    /**
     * A descriptor in the epoll set with all that waits for it. It is there only as long as
     * somebody does: epoll tells of errors whatever it was asked for.
     */
    private record Registration(long token, List<Watch> watches) {
        int interest() {
            return watches.stream().mapToInt(watch -> watch.direction).reduce(0, (a, b) -> a | b);
        }
    }

    /** A one-shot timer. */
    final class Timer implements AutoCloseable {
        static final long DISARMED = Long.MAX_VALUE;

        private final Runnable expired;
        private long deadline = DISARMED;

        private Timer(Runnable expired) {
            this.expired = expired;
        }

        /** Sets the expiry in guest time, nanoseconds. */
        void set(long guestNanos) {
            synchronized (EventLoop.this) {
                deadline = guestNanos;
                wake();
            }
        }

        @Override
        public void close() {
            synchronized (EventLoop.this) {
                timers.remove(this);
            }
        }
    }

    Timer timer(Runnable expired) {
        var timer = new Timer(expired);
        synchronized (this) {
            timers.add(timer);
        }
        return timer;
    }

    void post(Runnable callback) {
        posted.add(callback);
        synchronized (this) {
            wake();
        }
    }

    /**
     * Runs the callback whenever the descriptor is ready in that direction, until closed.
     *
     * @param direction {@link Epoll#READABLE} or {@link Epoll#WRITABLE}
     */
    synchronized Watch watch(Fd descriptor, int direction, Runnable callback)
            throws LinuxException {
        var watch = new Watch(descriptor, direction, callback);
        wake();
        if (epoll == null) {
            return watch;
        }
        Registration there = registrations.get(descriptor);
        if (there == null) {
            var made = new Registration(nextToken++, new ArrayList<>(List.of(watch)));
            epoll.add(descriptor, made.interest(), made.token);
            registrations.put(descriptor, made);
            byToken.put(made.token, made);
        } else {
            epoll.modify(descriptor, there.interest() | direction, there.token);
            there.watches.add(watch);
        }
        return watch;
    }

    private synchronized void unwatch(Watch watch) {
        Registration there = registrations.get(watch.descriptor);
        if (there == null || !there.watches.remove(watch)) {
            return;
        }
        try {
            if (there.watches.isEmpty()) {
                registrations.remove(watch.descriptor);
                byToken.remove(there.token);
                epoll.remove(watch.descriptor);
            } else {
                epoll.modify(watch.descriptor, there.interest(), there.token);
            }
        } catch (LinuxException e) {
            // A descriptor closed before its watch has left the epoll set by itself.
            LOG.log(Level.DEBUG, () -> "%s: %s".formatted(name, e.getMessage()));
        }
    }

    /** What waits for a result of the last await, and does so still. */
    private synchronized List<Watch> due(long token, int ready) {
        Registration there = byToken.get(token);
        if (there == null) {
            return List.of();
        }
        boolean trouble = (ready & (Epoll.ERROR | Epoll.HANG_UP)) != 0;
        return there.watches.stream()
                .filter(watch -> trouble || (ready & watch.direction) != 0)
                .toList();
    }

    private synchronized boolean waits(Watch watch) {
        Registration there = registrations.get(watch.descriptor);
        return there != null && there.watches.contains(watch);
    }

    /** Guest time started again: timers look anew. */
    synchronized void timeStarted() {
        if (epoll != null) {
            epoll.wake();
        }
    }

    /** Under the lock. Makes the thread look, starting it first if need be. */
    private void wake() {
        if (closed) {
            return;
        }
        if (epoll == null) {
            try {
                epoll = Epoll.open();
            } catch (LinuxException e) {
                throw new IllegalStateException(e.getMessage(), e);
            }
            startThread();
        }
        epoll.wake();
    }

    private void startThread() {
        new MachineThread(name + "/events", this::run) {
            @Override
            public void replace() {
                startThread();
            }
        }.start();
    }

    private void run() {
        Epoll waiting;
        synchronized (this) {
            waiting = epoll;
        }
        try {
            while (runOnce(waiting)) {
                // Until closed.
            }
        } catch (LinuxException e) {
            LOG.log(Level.ERROR, () -> "%s: the event loop ended".formatted(name), e);
        }
        if (!MachineThread.current().orphaned()) {
            waiting.close();
        }
    }

    /**
     * One round: what was posted, what is due, what is readable.
     *
     * @return false if the loop is closed, or another thread has the place of this one
     */
    private boolean runOnce(Epoll waiting) throws LinuxException {
        for (Runnable next = posted.poll(); next != null; next = posted.poll()) {
            next.run();
            if (MachineThread.current().orphaned()) {
                return false;
            }
        }
        int wait = expireTimers();
        synchronized (this) {
            if (closed || MachineThread.current().orphaned()) {
                return false;
            }
        }
        int count = waiting.await(posted.isEmpty() ? wait : 0);
        for (int i = 0; i < count; i++) {
            for (Watch watch : due(waiting.token(i), waiting.ready(i))) {
                // Another callback of this round may have closed it.
                if (waits(watch)) {
                    watch.callback.run();
                    if (MachineThread.current().orphaned()) {
                        return false;
                    }
                }
            }
        }
        return true;
    }

    /** Runs what is due; returns how long to wait for the next, in milliseconds, or FOREVER. */
    private int expireTimers() {
        for (; ; ) {
            Timer due = null;
            synchronized (this) {
                long now = guestTime.getAsLong();
                long next = Timer.DISARMED;
                for (Timer timer : timers) {
                    if (timer.deadline <= now) {
                        due = timer;
                        due.deadline = Timer.DISARMED;
                        break;
                    }
                    next = Math.min(next, timer.deadline);
                }
                if (due == null) {
                    return next == Timer.DISARMED
                            ? FOREVER
                            : (int)
                                    Math.min(
                                            (next - now + NANOS_PER_MILLI - 1) / NANOS_PER_MILLI,
                                            LONGEST_WAIT_MILLIS);
                }
            }
            due.expired.run();
            if (MachineThread.current().orphaned()) {
                return FOREVER;
            }
        }
    }

    /** Ends the thread; a callback under way ends first, but is not waited for. */
    @Override
    public synchronized void close() {
        closed = true;
        if (epoll != null) {
            epoll.wake();
        }
    }
}
