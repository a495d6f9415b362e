package org.backplane.machine.board;

import java.util.List;
import org.backplane.bus.AddressAllocator;
import org.backplane.bus.Bus;
import org.backplane.bus.RegionLease;
import org.backplane.bus.Space;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.Vm;
import org.backplane.machine.MachineException;
import org.backplane.memory.GuestMemory;
import org.backplane.pci.HostBridge;

/**
 * What slots are plugged into: memory, processors, buses and windows, and the work of firmware. One
 * kind an architecture, see {@link Boards}.
 */
public interface Board extends AutoCloseable {
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

    /**
     * The devices that this kind of board always has, in the order in which they are plugged.
     *
     * @param console of the machine
     */
    List<PlatformSlot> platformSlots(String console);

    /**
     * Does what firmware does before a kernel runs: puts kernel, initrd and tables into RAM and
     * points the first processor at them. RAM is clear and no processor runs.
     *
     * @param devices that firmware describes to the kernel
     */
    void load(Images images, List<PlatformDevice> devices) throws MachineException;

    /**
     * Makes processors, interrupt controllers and everything of the board's own what they were when
     * it was made, and clears RAM. Every slot was reset, and no processor runs.
     */
    void reset() throws MachineException;

    /**
     * The state of what is the board's own: not of slots, memory and VM. Nothing of it changes
     * meanwhile.
     */
    SavedState save();

    /**
     * Takes a state on a board that was just made, with no slot in it.
     *
     * @throws DeviceException it is none of such a board
     */
    void restore(SavedState state) throws DeviceException;

    @Override
    void close();
}
