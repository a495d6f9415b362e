package org.backplane.hypervisor;

import org.backplane.linux.EventFd;
import org.osgi.annotation.versioning.ProviderType;

/** Interrupts that the host's kernel raises when an eventfd is signalled. Thread-safe. */
@ProviderType
public interface EventRoutes {
    /**
     * Delivers a message each time the eventfd is signalled. The route begins switched off.
     *
     * @param event drained by the route; nobody else waits for it meanwhile
     */
    MessageRoute message(EventFd event) throws HypervisorException;

    /**
     * Raises a level interrupt each time the eventfd is signalled. When the guest has finished with
     * it the line falls and the other eventfd is signalled; whoever still needs service signals
     * again.
     *
     * @param source as for {@link Vm#setLine}
     */
    Vm.Lease line(EventFd event, EventFd resample, int source) throws HypervisorException;

    /** A route of an eventfd to a message. Closing it again does nothing. */
    @ProviderType
    interface MessageRoute extends Vm.Lease {
        /** Switches it on with a message, or changes the message. */
        void set(long address, int data) throws HypervisorException;

        /** Switches it off: signals stay in the eventfd, and are delivered once it is on again. */
        void off() throws HypervisorException;
    }
}
