package org.backplane.kvm;

import static org.backplane.kvm.KvmAbi.*;

import java.util.concurrent.atomic.AtomicBoolean;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.Vm;
import org.backplane.linux.EventFd;

/** Addresses where a store signals an eventfd inside of KVM. Thread-safe. */
final class Doorbells {
    private final KvmFd vm;

    Doorbells(KvmFd vm) {
        this.vm = vm;
    }

    /**
     * @param width in bytes, or 0 for any
     */
    Vm.Lease add(long address, int width, EventFd event) throws HypervisorException {
        ioeventfd(address, width, event, 0);
        AtomicBoolean closed = new AtomicBoolean();
        return () -> {
            if (closed.compareAndSet(false, true)) {
                remove(address, width, event);
            }
        };
    }

    private void remove(long address, int width, EventFd event) {
        try {
            ioeventfd(address, width, event, KVM_IOEVENTFD_FLAG_DEASSIGN);
        } catch (HypervisorException e) {
            // Only if the eventfd was closed before the doorbell, or the VM was.
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    private void ioeventfd(long address, int width, EventFd event, int flags)
            throws HypervisorException {
        try (Struct argument = Struct.of(IOEVENTFD_BYTES)) {
            argument.u64(IOEVENTFD_ADDRESS, address)
                    .u32(IOEVENTFD_LENGTH, width)
                    .u32(IOEVENTFD_FD, event.number())
                    .u32(IOEVENTFD_FLAGS, flags);
            vm.call(
                    KVM_IOEVENTFD,
                    argument,
                    "address 0x%x, width %d, %s, flags %d".formatted(address, width, event, flags));
        }
    }
}
