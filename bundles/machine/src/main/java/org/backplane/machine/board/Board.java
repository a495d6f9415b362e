package org.backplane.machine.board;

import org.backplane.bus.AddressAllocator;
import org.backplane.bus.Bus;
import org.backplane.bus.RegionLease;
import org.backplane.bus.Space;
import org.backplane.hypervisor.Vm;
import org.backplane.memory.GuestMemory;
import org.backplane.pci.HostBridge;

/** What slots are plugged into. */
public interface Board {
    Bus bus();

    /** Where devices that are not on PCI claim addresses. */
    AddressAllocator platformWindow(Space space);

    HostBridge bridge();

    GuestMemory memory();

    Vm vm();

    InterruptLines lines();

    /** Whether the engine answers there itself, before the bus is asked. */
    default boolean answeredByEngine(RegionLease region) {
        return false;
    }
}
