package org.backplane.machine.serve;

import org.backplane.hypervisor.ExitHandler;
import org.backplane.hypervisor.Hypervisor;
import org.backplane.hypervisor.VmSpec;
import org.backplane.machine.board.ServedBoard;
import org.backplane.memory.GuestMemory;

/**
 * The engine of a machine that serves a device: the guest runs in another process, the client, and
 * what comes here of it are accesses to the device. One processor makes them, so that gates,
 * watchdog, pause and end treat a client as they treat a guest.
 */
public final class ClientEngine implements Hypervisor {
    @Override
    public String name() {
        return "client";
    }

    @Override
    public String architecture() {
        return ServedBoard.ARCHITECTURE;
    }

    @Override
    public ClientVm create(VmSpec spec, GuestMemory memory, ExitHandler exits) {
        return new ClientVm(memory, exits);
    }
}
