package org.backplane.machine.slot;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.function.IntConsumer;
import org.backplane.linux.Epoll;
import org.backplane.linux.EventFd;
import org.backplane.linux.LinuxException;
import org.backplane.machine.processor.MachineThread;

/** The worker of one queue: waits for its doorbell, enters the gate, calls the device, leaves. */
final class QueueWorker implements AutoCloseable {
    private static final Logger LOG = System.getLogger(QueueWorker.class.getName());
    private static final int FOREVER = -1;

    private final SlotGear gear;
    private final int queue;
    private final EventFd doorbell;
    private final IntConsumer work;
    private final Epoll epoll;
    private final MachineThread thread;
    private volatile boolean closed;

    /**
     * @param doorbell stays the caller's
     * @param work called inside the gate
     */
    QueueWorker(SlotGear gear, int queue, EventFd doorbell, IntConsumer work)
            throws LinuxException {
        this.gear = gear;
        this.queue = queue;
        this.doorbell = doorbell;
        this.work = work;
        epoll = Epoll.open();
        try {
            epoll.add(doorbell, Epoll.READABLE, queue);
        } catch (LinuxException e) {
            epoll.close();
            throw e;
        }
        thread = new MachineThread("%s/queue%d".formatted(gear.name(), queue), this::run);
        thread.start();
    }

    private void run() {
        try (epoll) {
            while (!closed) {
                if (epoll.await(FOREVER) == 0) {
                    continue;
                }
                // Cleared before the work: a doorbell during it means one more round, not a lost
                // one.
                doorbell.drain();
                Gate gate = gear.gate();
                if (!gate.enter()) {
                    continue;
                }
                try {
                    work.accept(queue);
                } catch (Throwable e) {
                    gear.failed().accept(e);
                } finally {
                    gate.leave();
                }
            }
        } catch (LinuxException e) {
            LOG.log(Level.ERROR, () -> "%s: the worker ended".formatted(thread.getName()), e);
        }
    }

    /** Ends the thread after the call it is in, if any; does not wait for it. */
    @Override
    public void close() {
        closed = true;
        epoll.wake();
    }
}
