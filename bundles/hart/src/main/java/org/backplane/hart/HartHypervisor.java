package org.backplane.hart;

import java.io.IOException;
import org.backplane.hypervisor.ExitHandler;
import org.backplane.hypervisor.Hypervisor;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.InterruptControllers.RiscvAia;
import org.backplane.hypervisor.Vm;
import org.backplane.hypervisor.VmSpec;
import org.backplane.memory.GuestMemory;

/** The embedded engine: RV64GC harts in Java, on any host. */
public final class HartHypervisor implements Hypervisor {
    /** The largest number of harts that fits an APLIC's MSI addressing as the board sets it up. */
    private static final int MOST_HARTS = 512;

    @Override
    public String name() {
        return "hart";
    }

    @Override
    public String architecture() {
        return "riscv64";
    }

    /**
     * Has the JVM see all of the interpreter, so that the first guest runs at full speed soon;
     * takes a fraction of a second, on a thread of its own if need be.
     *
     * @throws HypervisorException it failed, as a guest would
     */
    public void rehearse() throws HypervisorException {
        try {
            new Rehearsal().run();
        } catch (IOException e) {
            throw new HypervisorException("engine hart cannot get memory: " + e.getMessage(), e);
        }
    }

    @Override
    public Vm create(VmSpec spec, GuestMemory memory, ExitHandler exits)
            throws HypervisorException {
        if (spec.vcpus() > MOST_HARTS) {
            throw new HypervisorException(
                    "engine hart has at most "
                            + MOST_HARTS
                            + " processors, not "
                            + spec.vcpus()
                            + "; ask for fewer with --cpus");
        }
        if (!(spec.interruptControllers() instanceof RiscvAia layout)) {
            throw new HypervisorException(
                    "engine hart has RISC-V AIA interrupt controllers, not "
                            + spec.interruptControllers()
                            + "; choose a RISC-V board");
        }
        return new HartVm(spec, layout, memory, exits);
    }
}
