package org.backplane.machine.processor;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A thread that calls devices: a processor's, a worker's or one that makes a slot's calls. It is
 * made by machine code, off any device's stack and with the machine's class loader, so that no
 * version of a device is kept alive by it.
 *
 * <p>A thread that does not come out of a device is <i>orphaned</i>: another takes its place, and
 * it ends as soon as it does come out. Whether it was in time is decided by one compare-and-set on
 * what it is inside of, which it makes when it leaves and who orphans it makes before.
 */
public class MachineThread extends Thread {
    /** Null outside; this thread itself once it is orphaned. */
    private final AtomicReference<Object> inside = new AtomicReference<>();

    private final AtomicLong entries = new AtomicLong();

    public MachineThread(String name, Runnable work) {
        super(null, work, name, 0, false);
        setContextClassLoader(MachineThread.class.getClassLoader());
        setDaemon(true);
    }

    /** The current thread, if it is the machine's; else null. */
    public static MachineThread current() {
        return Thread.currentThread() instanceof MachineThread thread ? thread : null;
    }

    /** Every such thread that lives. */
    public static List<MachineThread> all() {
        ThreadGroup root = Thread.currentThread().getThreadGroup();
        while (root.getParent() != null) {
            root = root.getParent();
        }
        var threads = new Thread[root.activeCount() + 16];
        int count = root.enumerate(threads);
        while (count == threads.length) {
            threads = new Thread[2 * count];
            count = root.enumerate(threads);
        }
        var found = new ArrayList<MachineThread>();
        for (int i = 0; i < count; i++) {
            if (threads[i] instanceof MachineThread thread) {
                found.add(thread);
            }
        }
        return found;
    }

    /** What the thread is inside of, or about to enter: a slot's gate; else null. */
    public final Object inside() {
        Object now = inside.get();
        return now == this ? null : now;
    }

    /** How often it entered a gate: one that is inside and shows the same number stays there. */
    public final long entries() {
        return entries.get();
    }

    /**
     * Called by the thread before it asks to be let in. The order holds for whoever closes the
     * gate: it finds this thread here, or the thread finds the gate closed.
     */
    public final void entering(Object gate) {
        entries.lazySet(entries.get() + 1);
        inside.set(gate);
    }

    /**
     * Called by the thread when it is outside again.
     *
     * @return false if it was orphaned: it has to end, another has its place
     */
    public final boolean left(Object gate) {
        return inside.compareAndSet(gate, null);
    }

    /**
     * Takes the thread's place from it, if it is still inside of the gate.
     *
     * @return whether it was; {@link #replace} is then to be called
     */
    public final boolean orphan(Object gate) {
        return inside.compareAndSet(gate, this);
    }

    public final boolean orphaned() {
        return inside.get() == this;
    }

    /** Puts another thread in the place of this one, which was orphaned; on any thread. */
    public void replace() {}

    /**
     * Called by the thread itself before it parks at a gate; a processor counts as paused from
     * here.
     *
     * @param wake makes the parked thread look again
     */
    public void parking(Runnable wake) {}

    /** Whether the thread must give up parking and come back with a refusal. */
    public boolean abandoned() {
        return false;
    }

    /**
     * Called by the thread before it goes on; a processor waits here while the machine is paused.
     */
    public void unparking() {}
}
