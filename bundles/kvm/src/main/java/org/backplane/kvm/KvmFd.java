package org.backplane.kvm;

import static org.backplane.kvm.KvmAbi.*;

import java.nio.ByteBuffer;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.linux.Fd;
import org.backplane.linux.Ioctl;
import org.backplane.linux.LinuxException;
import org.backplane.linux.Mapping;

/** A descriptor of KVM's: of the device, a VM or a processor. Thread-safe. */
final class KvmFd implements AutoCloseable {
    static final int EPERM = 1;
    static final int ENOENT = 2;
    static final int EINTR = 4;
    static final int EBADF = 9;
    static final int EAGAIN = 11;
    static final int ENOMEM = 12;
    static final int EFAULT = 14;
    static final int EBUSY = 16;
    static final int EEXIST = 17;
    static final int EINVAL = 22;
    static final int EMFILE = 24;
    static final int ENOSPC = 28;

    private final Fd fd;

    KvmFd(Fd fd) {
        this.fd = fd;
    }

    String name() {
        return fd.name();
    }

    /**
     * Makes a request whose failure the caller judges.
     *
     * @return what KVM gives, or the error number, negated
     */
    int attempt(long request, long argument) {
        return Ioctl.call(fd, request, argument);
    }

    /**
     * Makes a request.
     *
     * @param arguments what it was asked for, as the failure tells it
     * @throws HypervisorException KVM refuses; the message has request, arguments, error and remedy
     */
    int call(long request, long argument, String arguments) throws HypervisorException {
        int result;
        do {
            result = attempt(request, argument);
        } while (result == -EINTR);
        if (result < 0) {
            throw failure(request, arguments, -result);
        }
        return result;
    }

    /** As {@link #call} with a structure. */
    int call(long request, Struct argument, String arguments) throws HypervisorException {
        return call(request, argument.address(), arguments);
    }

    /** Makes a request that gives a descriptor. */
    Fd open(long request, long argument, String name) throws HypervisorException {
        try {
            return Ioctl.open(fd, request, argument, name);
        } catch (LinuxException e) {
            throw failure(request, Long.toString(argument), e.errno());
        }
    }

    /** Makes a request that leaves a descriptor in its structure, at an offset in bytes. */
    Fd openInto(long request, ByteBuffer structure, int offset, String name)
            throws HypervisorException {
        try {
            return Ioctl.openInto(fd, request, structure, offset, name);
        } catch (LinuxException e) {
            throw failure(request, name, e.errno());
        }
    }

    /** Maps what the descriptor shares with this process. */
    Mapping map(int length) throws HypervisorException {
        try {
            return Mapping.shared(fd, 0, length, Mapping.Protection.READ_WRITE);
        } catch (LinuxException e) {
            throw new HypervisorException(
                    "KVM's run structure cannot be shared: " + e.getMessage(), e);
        }
    }

    HypervisorException failure(long request, String arguments, int errno) {
        return new HypervisorException(
                "KVM refuses %s (%s) for %s: %s; %s."
                        .formatted(
                                requestName(request),
                                arguments,
                                fd.name(),
                                Ioctl.reason(errno),
                                remedy(request, errno)));
    }

    private static String remedy(long request, int errno) {
        return switch (errno) {
            case ENOMEM -> "the host has no memory left for KVM: end other programs or VMs";
            case EMFILE -> "this process has too many files open: raise the limit with ulimit -n";
            case EBADF -> "the VM is being closed";
            case EFAULT ->
                    request == KVM_RUN
                            ? "guest memory that a processor uses is gone from this process"
                            : "please report this as a defect of Backplane";
            case EBUSY ->
                    request == KVM_CREATE_VM
                            ? "another hypervisor (VirtualBox, VMware) holds the processor: end it"
                            : "it is in use already: close the lease that holds it first";
            case EEXIST ->
                    request == KVM_SET_USER_MEMORY_REGION
                            ? "the addresses overlap other memory of the guest"
                            : "there is one already: close the lease that holds it first";
            case ENOSPC -> "KVM has no room for more of these: unplug devices or use fewer queues";
            case EINVAL ->
                    request == KVM_CREATE_VCPU
                            ? "ask for fewer processors with --cpus"
                            : "this host's KVM does not take these values: see 'dmesg' and update the kernel";
            default -> "see the kernel's log with 'dmesg'";
        };
    }

    @Override
    public void close() {
        fd.close();
    }
}
