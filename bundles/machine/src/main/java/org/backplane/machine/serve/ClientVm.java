package org.backplane.machine.serve;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.backplane.bus.Space;
import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.ExitHandler;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.Vcpu;
import org.backplane.hypervisor.Vm;
import org.backplane.linux.EventFd;
import org.backplane.machine.board.ServedBoard;
import org.backplane.memory.GuestMemory;

/** A client as the machine sees it: where its accesses come from, and its interrupts go to. */
public final class ClientVm implements Vm {
    private static final int ANY_WIDTH = 0;

    private final ClientProcessor processor;
    private final ClientInterrupts interrupts = new ClientInterrupts();

    /** By address. */
    private final Map<Long, Doorbell> doorbells = new ConcurrentHashMap<>();

    // Guarded by this. While stopped, the origin is guest time itself.
    private boolean stopped;
    private long origin = System.nanoTime();

    /**
     * @param width in bytes of the stores meant, or 0 for any
     */
    private record Doorbell(int width, EventFd event) {}

    ClientVm(GuestMemory memory, ExitHandler exits) {
        processor = new ClientProcessor(memory, exits);
    }

    ClientInterrupts interrupts() {
        return interrupts;
    }

    /** A load of the client. */
    long read(Space space, long address, int width) {
        return processor.read(space, address, width);
    }

    /** A store of the client; one to a doorbell takes no way through the device. */
    void write(Space space, long address, int width, long value) {
        Doorbell doorbell = space == Space.MMIO ? doorbells.get(address) : null;
        if (doorbell != null && (doorbell.width == ANY_WIDTH || doorbell.width == width)) {
            doorbell.event.signal();
        } else {
            processor.write(space, address, width, value);
        }
    }

    @Override
    public List<Vcpu> vcpus() {
        return List.of(processor);
    }

    @Override
    public void setLine(int source, boolean high) {
        if (ServedBoard.isPin(source)) {
            interrupts.line(high);
        }
    }

    @Override
    public Lease onResample(int source, Runnable listener) {
        return interrupts.onFinished(listener);
    }

    @Override
    public void signalMsi(long address, int data) {
        interrupts.message(address, data);
    }

    @Override
    public Lease doorbell(long address, int width, EventFd event) throws HypervisorException {
        var doorbell = new Doorbell(width, event);
        if (doorbells.putIfAbsent(address, doorbell) != null) {
            throw new HypervisorException(
                    "address 0x%x has a doorbell; close that lease first".formatted(address));
        }
        return () -> doorbells.remove(address, doorbell);
    }

    @Override
    public synchronized void stopTime() {
        if (!stopped) {
            stopped = true;
            origin = System.nanoTime() - origin;
        }
    }

    @Override
    public synchronized void startTime() {
        if (stopped) {
            stopped = false;
            origin = System.nanoTime() - origin;
        }
    }

    @Override
    public synchronized long guestTime() {
        return stopped ? origin : System.nanoTime() - origin;
    }

    /** What interrupts go to is the client's, and outlives a reset of the device. */
    @Override
    public void reset() {}

    @Override
    public SavedState save() throws HypervisorException {
        throw new HypervisorException(
                "the guest that uses the device runs in another process, whose state is not to be had; take its snapshot there");
    }

    @Override
    public void restore(SavedState state) throws HypervisorException {
        throw new HypervisorException(
                "a served device begins anew, for whichever client connects; leave --restore out");
    }

    @Override
    public void close() {
        processor.close();
    }
}
