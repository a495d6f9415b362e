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
 * A slot's one worker for everything but queues: descriptors that become readable, timers on guest
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
    private final Map<Long, Watch> watches = new HashMap<>();
    private final List<Timer> timers = new ArrayList<>();
    private Epoll epoll;
    private long nextToken;
    private boolean closed;

    EventLoop(String name, LongSupplier guestTime) {
        this.name = name;
        this.guestTime = guestTime;
    }

    /** A descriptor that is watched. */
    record Watch(long token, Fd descriptor, Runnable callback, EventLoop loop)
            implements AutoCloseable {
        @Override
        public void close() {
            loop.unwatch(this);
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

    /** Runs the callback whenever the descriptor is readable, until closed. */
    synchronized Watch watch(Fd descriptor, Runnable callback) throws LinuxException {
        var watch = new Watch(nextToken++, descriptor, callback, this);
        wake();
        if (epoll != null) {
            epoll.add(descriptor, Epoll.READABLE, watch.token);
            watches.put(watch.token, watch);
        }
        return watch;
    }

    private synchronized void unwatch(Watch watch) {
        if (watches.remove(watch.token) == null || epoll == null) {
            return;
        }
        try {
            epoll.remove(watch.descriptor);
        } catch (LinuxException e) {
            // A descriptor closed before its watch has left the epoll set by itself.
            LOG.log(Level.DEBUG, () -> "%s: %s".formatted(name, e.getMessage()));
        }
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
            Watch watch;
            synchronized (this) {
                watch = watches.get(waiting.token(i));
            }
            if (watch != null) {
                watch.callback.run();
                if (MachineThread.current().orphaned()) {
                    return false;
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
