package org.backplane.hypervisor;

import java.util.List;
import java.util.Optional;
import org.backplane.device.state.SavedState;
import org.backplane.linux.EventFd;
import org.backplane.linux.Fd;
import org.osgi.annotation.versioning.ProviderType;

/** A virtual machine of one engine. Thread-safe. */
@ProviderType
public interface Vm extends AutoCloseable {
    List<Vcpu> vcpus();

    /**
     * Sets the level of a wired interrupt source.
     *
     * @param source number at the interrupt controller: RISC-V from 1; x86 the global system
     *     interrupt, from 0
     */
    void setLine(int source, boolean high);

    /**
     * Runs the listener each time the guest has finished with a level interrupt of the source,
     * after which a line still high is pending again (AIA 1.0, section 4.9.2). On a processor's
     * thread or one of the engine's; a listener that takes its time delays others.
     *
     * @return a lease; the listener is not called again once it is closed
     */
    Lease onResample(int source, Runnable listener);

    /** Delivers a message-signalled interrupt, as if a function had stored the data there. */
    void signalMsi(long address, int data);

    /**
     * Turns guest stores at an address into signals of an eventfd: the store runs no device code
     * and makes no exit.
     *
     * @param address in MMIO space
     * @param width in bytes of the stores meant; 0 for any
     */
    Lease doorbell(long address, int width, EventFd event) throws HypervisorException;

    /**
     * What drives interrupts by eventfds without a thread of this process; empty where the engine
     * cannot: whoever has an eventfd then waits for it and tells the engine.
     */
    default Optional<EventRoutes> eventRoutes() {
        return Optional.empty();
    }

    /**
     * Tells the host's kernel that this machine uses a device of the host (KVM's VFIO device:
     * Documentation/virt/kvm/devices/vfio.rst). Engines and kernels without such a thing have
     * nothing to do.
     *
     * @param device a VFIO group or device; stays the caller's, open until the lease is closed
     */
    default Lease assign(Fd device) throws HypervisorException {
        return () -> {};
    }

    /** Which pages of memory the guest stores to; empty where the engine cannot tell. */
    default Optional<DirtyLog> dirtyLog() {
        return Optional.empty();
    }

    /** Stops guest time; it goes on where it stopped. Every processor is out of its run loop. */
    void stopTime();

    void startTime();

    /** Nanoseconds of guest time since the VM was made, without the pauses. */
    long guestTime();

    /**
     * Puts processors and interrupt controllers into their initial state. Every processor is out of
     * its run loop. Leases stay.
     */
    void reset();

    /**
     * The state of processors, interrupt controllers and guest time; not of memory, doorbells and
     * other leases. Guest time is stopped; every processor is out of its run loop or inside an
     * {@link ExitHandler} that does not return meanwhile: such an access has not happened, and is
     * made again after a restore. Changes nothing.
     *
     * @throws HypervisorException the host did not give the state
     * @throws IllegalStateException guest time or a processor runs
     */
    SavedState save() throws HypervisorException;

    /**
     * Makes processors, interrupt controllers and guest time what they were at {@link #save}; on a
     * VM just made or reset, before a line is set and with the memory of then in place. Guest time
     * is stopped at the saved value after. Lines keep their saved levels; who drives one sets it
     * again, which makes no edge where the level is the same.
     *
     * @throws HypervisorException the state is another engine's, newer, damaged, or of a VM with
     *     other processors or interrupt controllers; the VM is as after {@link #reset}
     */
    void restore(SavedState state) throws HypervisorException;

    @Override
    void close();

    /** Something the engine does until told otherwise. */
    @ProviderType
    interface Lease extends AutoCloseable {
        @Override
        void close();
    }
}
