package org.backplane.machine.serve;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.backplane.hypervisor.Vm;
import org.backplane.machine.board.ServedBoard;
import org.backplane.vfio.VfioDevice;
import org.backplane.vfio.user.ServedWires;

/**
 * Carries the function's interrupts to the client. A message has an address that says of which kind
 * it is, and the vector's number as data. Thread-safe.
 */
final class ClientInterrupts {
    private final List<Runnable> finished = new CopyOnWriteArrayList<>();

    // Guarded by this.
    private Optional<ServedWires> wires = Optional.empty();
    private boolean high;

    /** Where messages of a kind are stored to. */
    static long address(int kind) {
        return ServedBoard.messages(kind);
    }

    void wired(ServedWires to) {
        synchronized (this) {
            wires = Optional.of(to);
            to.level(high);
        }
    }

    /** A message of the function, which has been told the addresses and nobody else's. */
    void message(long address, int data) {
        Optional<ServedWires> to;
        synchronized (this) {
            to = wires;
        }
        if (to.isPresent()) {
            if (address == address(VfioDevice.MSIX)) {
                to.get().signal(VfioDevice.MSIX, data);
            } else if (address == address(VfioDevice.MSI)) {
                to.get().signal(VfioDevice.MSI, data);
            }
        }
    }

    /** The level that the function drives its pin to. */
    synchronized void line(boolean level) {
        // Under the lock: two changes must not reach the client in the wrong order.
        high = level;
        wires.ifPresent(to -> to.level(level));
    }

    /** The client has finished with the pin's interrupt: what held it by an eventfd lets go. */
    void finish() {
        finished.forEach(Runnable::run);
    }

    Vm.Lease onFinished(Runnable listener) {
        finished.add(listener);
        return () -> finished.remove(listener);
    }
}
