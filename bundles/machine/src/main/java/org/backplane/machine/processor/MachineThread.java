package org.backplane.machine.processor;

/**
 * A thread that calls devices: a processor's, a worker's or a slot's control thread. It is made by
 * machine code, off any device's stack and with the machine's class loader, so that no version of a
 * device is kept alive by it.
 */
public class MachineThread extends Thread {
    private Object inside;

    public MachineThread(String name, Runnable work) {
        super(null, work, name, 0, false);
        setContextClassLoader(MachineThread.class.getClassLoader());
        setDaemon(true);
    }

    /** What the thread is inside of, a slot's gate, or null; written by the thread alone. */
    public final Object inside() {
        return inside;
    }

    public final void enter(Object gate) {
        inside = gate;
    }

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
