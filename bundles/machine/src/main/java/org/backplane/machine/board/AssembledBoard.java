package org.backplane.machine.board;

import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.backplane.bus.AddressAllocator;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Bus;
import org.backplane.bus.ClaimException;
import org.backplane.bus.IoHandler;
import org.backplane.bus.Placement;
import org.backplane.bus.RegionLease;
import org.backplane.hypervisor.ExitHandler;
import org.backplane.hypervisor.Hypervisor;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.Vm;
import org.backplane.hypervisor.VmSpec;
import org.backplane.machine.MachineException;
import org.backplane.memory.GuestMemory;
import org.backplane.memory.MemoryLease;
import org.backplane.pci.BarMemory;

/** What boards have in common: memory and a VM, and claims that go with the board. */
abstract class AssembledBoard implements Board {
    /** Names of the windows that memory BARs live in. */
    static final String MMIO_32 = "pci-mmio32";

    static final String MMIO_64 = "pci-mmio64";

    private final Bus bus;
    private final LeaseStack leases = new LeaseStack("board");
    private final Set<RegionLease> ofEngine = new HashSet<>();
    private final GuestMemory memory;
    private final Vm vm;

    /**
     * Makes memory and VM. A board that fails to be made after that closes itself.
     *
     * @param banks of RAM; none if RAM is another process's
     */
    AssembledBoard(
            Bus bus,
            List<GuestMemory.RamBank> banks,
            Hypervisor engine,
            VmSpec spec,
            ExitHandler exits)
            throws MachineException {
        this.bus = bus;
        try {
            memory =
                    leases.push(
                            "ram",
                            banks.isEmpty()
                                    ? GuestMemory.ofElsewhere()
                                    : new GuestMemory(spec.name(), banks));
            vm = leases.push("vm", engine.create(spec, memory, exits));
        } catch (IOException | HypervisorException e) {
            leases.close();
            throw new MachineException(e.getMessage(), e);
        } catch (RuntimeException e) {
            leases.close();
            throw e;
        }
    }

    /** Claims addresses for the life of the board. */
    final RegionLease claim(
            AddressAllocator window, String owner, AddressRange range, IoHandler handler)
            throws ClaimException {
        return leases.push(
                owner,
                bus.claim(window, owner, range.size(), new Placement.Exact(range.base()), handler));
    }

    /** Keeps others away from addresses that the engine answers before the bus is asked. */
    final void claimForEngine(AddressAllocator window, String owner, AddressRange range)
            throws ClaimException {
        ofEngine.add(claim(window, owner, range, new NothingThere()));
    }

    /** Ranges of the guest's memory for what functions map into their BARs. */
    final BarMemory barMemory() {
        return (address, descriptor, offset, length) -> {
            MemoryLease lease = memory.map(address, descriptor, offset, length, true);
            return lease::close;
        };
    }

    @Override
    public final Bus bus() {
        return bus;
    }

    @Override
    public final GuestMemory memory() {
        return memory;
    }

    @Override
    public final Vm vm() {
        return vm;
    }

    @Override
    public final boolean answeredByEngine(RegionLease region) {
        return ofEngine.contains(region);
    }

    @Override
    public void reset() throws MachineException {
        bridge().reset();
        bridge().preset();
        vm.reset();
        try {
            memory.zero();
        } catch (IOException e) {
            throw new MachineException("The guest's memory cannot be cleared for the reset.", e);
        }
    }

    @Override
    public final void close() {
        leases.close();
    }

    /** Addresses where nothing is; what an engine lets through, its controllers do not decode. */
    static final class NothingThere implements IoHandler {
        @Override
        public long read(long offset, int width) {
            return -1;
        }

        @Override
        public void write(long offset, int width, long value) {
            // Nothing is there.
        }
    }
}
