package org.backplane.linux;

/**
 * Many descriptors and a timer behind one descriptor, which is readable while one of them is ready:
 * what its owner shows to an event loop that knows nothing of them. Not thread-safe.
 */
final class Readiness implements AutoCloseable {
    /** No descriptor's token may be equal. */
    private static final long TIMER = Long.MAX_VALUE;

    private final Epoll epoll;
    private final TimerFd timer;
    private boolean ringing;

    private Readiness(Epoll epoll, TimerFd timer) {
        this.epoll = epoll;
        this.timer = timer;
    }

    static Readiness open() throws LinuxException {
        TimerFd timer = TimerFd.open();
        try {
            Epoll epoll = Epoll.open();
            try {
                epoll.add(timer, Epoll.READABLE, TIMER);
            } catch (LinuxException e) {
                epoll.close();
                throw e;
            }
            return new Readiness(epoll, timer);
        } catch (LinuxException e) {
            timer.close();
            throw e;
        }
    }

    /** What an event loop waits for. */
    Fd descriptor() {
        return epoll.descriptor();
    }

    void add(Fd descriptor, int interest, long token) throws LinuxException {
        epoll.add(descriptor, interest, token);
    }

    void remove(Fd descriptor) throws LinuxException {
        epoll.remove(descriptor);
    }

    /** As {@link Epoll#watch}. */
    void watch(int number, int interest, long token) throws LinuxException {
        epoll.watch(number, interest, token);
    }

    /** As {@link Epoll#forget}. */
    void forget(int number) throws LinuxException {
        epoll.forget(number);
    }

    /** Makes it readable at a time from now, in nanoseconds; 0 no more. */
    void alarm(long nanoseconds) throws LinuxException {
        timer.set(nanoseconds);
    }

    /** Makes it readable at once, or takes that back. */
    void ring(boolean due) {
        if (due != ringing) {
            ringing = due;
            if (due) {
                epoll.wake();
            } else {
                epoll.silence();
            }
        }
    }

    /**
     * What is ready now, as {@link #token} and {@link #ready} tell; takes back {@link #ring}. More
     * than fit stay ready.
     *
     * @return how many
     */
    int poll() throws LinuxException {
        int count = epoll.await(0);
        ringing = false;
        return count;
    }

    long token(int result) {
        return epoll.token(result);
    }

    int ready(int result) {
        return epoll.ready(result);
    }

    /** Whether a result is the alarm, which is taken with that. */
    boolean takeAlarm(int result) throws LinuxException {
        if (epoll.token(result) != TIMER) {
            return false;
        }
        timer.drain();
        return true;
    }

    @Override
    public void close() {
        timer.close();
        epoll.close();
    }
}
