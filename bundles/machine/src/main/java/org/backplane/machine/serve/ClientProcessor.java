package org.backplane.machine.serve;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import org.backplane.bus.Bus;
import org.backplane.bus.Space;
import org.backplane.hypervisor.AbandonedExit;
import org.backplane.hypervisor.ExitHandler;
import org.backplane.hypervisor.Vcpu;
import org.backplane.memory.GuestMemory;

/**
 * Makes a client's accesses, one after the other: whoever serves the client hands one over and
 * waits for what becomes of it. An access that stays inside of a device is made again by the thread
 * that takes the stuck one's place, as a guest's instruction is.
 */
final class ClientProcessor implements Vcpu {
    private static final Logger LOG = System.getLogger(ClientProcessor.class.getName());

    private final GuestMemory memory;
    private final ExitHandler exits;

    // Guarded by this.
    private Access pending;
    private boolean kicked;
    private boolean closed;
    private long made;

    /** One load or store; the result is guarded by the processor. */
    private static final class Access {
        private final boolean store;
        private final Space space;
        private final long address;
        private final int width;
        private final long value;
        private boolean done;
        private long result;

        Access(boolean store, Space space, long address, int width, long value) {
            this.store = store;
            this.space = space;
            this.address = address;
            this.width = width;
            this.value = value;
        }
    }

    ClientProcessor(GuestMemory memory, ExitHandler exits) {
        this.memory = memory;
        this.exits = exits;
    }

    /**
     * Waits while the machine is paused and while the slot is.
     *
     * @param width in bytes: 1, 2, 4 or 8
     * @return all ones where nothing answers, and once the machine has ended
     */
    long read(Space space, long address, int width) {
        return await(new Access(false, space, address, width, 0));
    }

    /** As {@link #read}. */
    void write(Space space, long address, int width, long value) {
        await(new Access(true, space, address, width, value & Bus.allOnes(width)));
    }

    private synchronized long await(Access access) {
        while (pending != null && !closed) {
            uninterruptedWait();
        }
        if (closed) {
            return Bus.allOnes(access.width);
        }
        pending = access;
        notifyAll();
        while (!access.done && !closed) {
            uninterruptedWait();
        }
        return access.done ? access.result : Bus.allOnes(access.width);
    }

    private void uninterruptedWait() {
        try {
            wait();
        } catch (InterruptedException e) {
            // Nobody interrupts who waits here; flags are how they are told.
            Thread.interrupted();
        }
    }

    @Override
    public void run() {
        for (Access access = next(); access != null; access = next()) {
            long result = make(access);
            synchronized (this) {
                access.done = true;
                access.result = result;
                pending = null;
                made++;
                notifyAll();
            }
        }
    }

    /** The access that is to be made; null after a kick. */
    private synchronized Access next() {
        while (!kicked && pending == null) {
            uninterruptedWait();
        }
        if (kicked) {
            kicked = false;
            return null;
        }
        return pending;
    }

    private long make(Access access) {
        try {
            long result = access.store ? store(access) : load(access);
            memory.raiseFault();
            return result;
        } catch (AbandonedExit e) {
            throw e;
        } catch (RuntimeException | Error e) {
            // What a client asks for ends an access, never the processor.
            LOG.log(Level.ERROR, "An access of the client failed.", e);
            return Bus.allOnes(access.width);
        }
    }

    private long load(Access access) {
        return access.space == Space.IO
                ? exits.ioRead(index(), (int) access.address, access.width)
                : exits.mmioRead(index(), access.address, access.width);
    }

    private long store(Access access) {
        if (access.space == Space.IO) {
            exits.ioWrite(index(), (int) access.address, access.width, access.value);
        } else {
            exits.mmioWrite(index(), access.address, access.width, access.value);
        }
        return 0;
    }

    /** Lets everybody who waits go, with all ones. */
    synchronized void close() {
        closed = true;
        notifyAll();
    }

    @Override
    public synchronized void kick() {
        kicked = true;
        notifyAll();
    }

    @Override
    public synchronized boolean kicked() {
        return kicked;
    }

    @Override
    public int index() {
        return 0;
    }

    @Override
    public void enterAt(long pc, long... arguments) {
        throw new IllegalArgumentException("a client's processors begin where the client says");
    }

    /** The client's is not known here. */
    @Override
    public long pc() {
        return 0;
    }

    /** Accesses made. */
    @Override
    public synchronized long instructions() {
        return made;
    }

    @Override
    public synchronized boolean idle() {
        return pending == null;
    }
}
