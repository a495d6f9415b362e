package org.backplane.hart;

import java.util.ArrayList;
import java.util.List;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.Vm;
import org.backplane.linux.EventFd;

/** Addresses at which stores signal eventfds. Thread-safe; ringing takes no lock. */
final class Doorbells {
    private static final int ANY_WIDTH = 0;

    /**
     * @param width in bytes, or 0 for any
     */
    private record Doorbell(long address, int width, EventFd event) {
        boolean answers(long at, int storeWidth) {
            return at == address && (width == ANY_WIDTH || width == storeWidth);
        }
    }

    private volatile Doorbell[] doorbells = {};

    synchronized Vm.Lease add(long address, int width, EventFd event) throws HypervisorException {
        for (Doorbell other : doorbells) {
            if (other.address == address
                    && (width == ANY_WIDTH || other.width == ANY_WIDTH || other.width == width)) {
                throw new HypervisorException(
                        "address 0x"
                                + Long.toHexString(address)
                                + " has a doorbell for stores of "
                                + (other.width == ANY_WIDTH ? "any" : other.width + " bytes")
                                + " width; close that lease first");
            }
        }
        Doorbell doorbell = new Doorbell(address, width, event);
        List<Doorbell> next = new ArrayList<>(List.of(doorbells));
        next.add(doorbell);
        doorbells = next.toArray(Doorbell[]::new);
        return () -> remove(doorbell);
    }

    private synchronized void remove(Doorbell doorbell) {
        List<Doorbell> next = new ArrayList<>(List.of(doorbells));
        next.removeIf(other -> other == doorbell);
        doorbells = next.toArray(Doorbell[]::new);
    }

    /** Signals for a store; says whether a doorbell answered. */
    boolean ring(long address, int width) {
        for (Doorbell doorbell : doorbells) {
            if (doorbell.answers(address, width)) {
                doorbell.event.signal();
                return true;
            }
        }
        return false;
    }
}
