package org.backplane.linux;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import org.backplane.linux.libc.Abi;
import org.backplane.linux.libc.Host;

/**
 * A timer with a descriptor, timerfd_create(2), on the host's monotonic clock: readable from its
 * expiry until {@link #drain}. Not thread-safe.
 */
final class TimerFd extends Fd {
    private final ByteBuffer setting = Host.buffer(Abi.ITIMERSPEC_BYTES);
    private final ByteBuffer expirations = Host.buffer(Long.BYTES);

    private TimerFd(int number) {
        super(number, "timer");
    }

    static TimerFd open() throws LinuxException {
        int number = LIBC.timerfd_create(Abi.CLOCK_MONOTONIC, Abi.TFD_CLOEXEC | Abi.TFD_NONBLOCK);
        check(number, "make a timer");
        return new TimerFd(number);
    }

    /**
     * Expires once; a setting before is forgotten.
     *
     * @param nanoseconds from now; 0 never
     */
    void set(long nanoseconds) throws LinuxException {
        setting.putLong(Abi.IT_VALUE_SEC, nanoseconds / 1_000_000_000L);
        setting.putLong(Abi.IT_VALUE_NSEC, nanoseconds % 1_000_000_000L);
        int fd = enter("timerfd_settime");
        try {
            check(LIBC.timerfd_settime(fd, 0, Host.address(setting), 0), "set a timer");
        } finally {
            Reference.reachabilityFence(setting);
            leave();
        }
    }

    void drain() throws LinuxException {
        read(Host.address(expirations), Long.BYTES);
        Reference.reachabilityFence(expirations);
    }
}
