package org.backplane.linux;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import org.backplane.linux.libc.Abi;
import org.backplane.linux.libc.Host;

/**
 * A real-time signal to one thread that no handler ever sees: the thread blocks it, a system call
 * that is given {@link #maskWithout} as its own mask is interrupted by it, also by one that came
 * before, and {@link #consume} takes it.
 *
 * <p>That is how a system call of a Java thread is ended from outside: a handler would be code on a
 * thread that the virtual machine knows nothing about, and the virtual machine's own signals are
 * taken. The signal is fixed, {@value Abi#SIG_WAKE}, one for every such use in the process.
 */
public final class ThreadSignal implements AutoCloseable {
    private final int process = (int) ProcessHandle.current().pid();
    private final int thread = Host.LIBC.gettid();
    private final long maskWithout;

    /** A set with the signal alone, and a time of zero behind it; read only. */
    private final ByteBuffer now = Host.buffer(Abi.SIGSET_BYTES + Abi.TIMESPEC_BYTES);

    /** Guarded by this. */
    private boolean closed;

    private ThreadSignal(long maskWithout) {
        this.maskWithout = maskWithout;
        now.putLong(0, bit());
    }

    /** Blocks the signal in the calling thread, for as long as that lives. */
    public static ThreadSignal ofCurrentThread() throws LinuxException {
        ByteBuffer set = Host.buffer(Abi.SIGSET_BYTES);
        ByteBuffer before = Host.buffer(Abi.SIGSET_BYTES);
        set.putLong(0, bit());
        int error =
                Host.LIBC.pthread_sigmask(Abi.SIG_BLOCK, Host.address(set), Host.address(before));
        Reference.reachabilityFence(set);
        if (error != 0) {
            throw new LinuxException("block signal " + Abi.SIG_WAKE, error);
        }
        return new ThreadSignal(before.getLong(0) & ~bit());
    }

    /** Bit n - 1 of a set is signal n. */
    private static long bit() {
        return 1L << Abi.SIG_WAKE - 1;
    }

    /** The thread's signal mask as the kernel has it, 64 bits, without this signal. */
    public long maskWithout() {
        return maskWithout;
    }

    /**
     * Interrupts the thread, from any thread; nothing once it has said that this is the {@link
     * #end}.
     */
    public synchronized void send() {
        // Under a lock with the end: the kernel gives a thread's number to another thread, which
        // does not block the signal and takes the process with it.
        if (!closed) {
            Host.LIBC.tgkill(process, thread, Abi.SIG_WAKE);
        }
    }

    /** Takes what was sent and has not been taken; on the thread itself. */
    public void consume() {
        long set = Host.address(now);
        while (Host.LIBC.sigtimedwait(set, 0, set + Abi.SIGSET_BYTES) > 0) {
            Thread.onSpinWait();
        }
        Reference.reachabilityFence(now);
    }

    /**
     * Lets nobody send any more, and takes what was sent; on the thread itself, which must not end
     * before: the Java virtual machine gives a thread its first signal mask back when it ends, and
     * a signal still pending then would end the process.
     */
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        consume();
    }
}
