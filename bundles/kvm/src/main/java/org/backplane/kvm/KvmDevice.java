package org.backplane.kvm;

import static org.backplane.kvm.KvmAbi.*;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.util.List;
import java.util.Set;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.linux.Fd;
import org.backplane.linux.LinuxException;
import org.backplane.linux.OpenFlag;

/**
 * The open {@code /dev/kvm} of a host that has all that the engine needs. What there is is asked of
 * KVM, never read from the processor: KVM exists on processors that show no virtualization.
 */
final class KvmDevice implements AutoCloseable {
    /**
     * Something that the engine cannot do without.
     *
     * @param least what {@code KVM_CHECK_EXTENSION} has to give
     */
    private record Need(String name, int capability, int least) {}

    private static final List<Need> NEEDS =
            List.of(
                    new Need("memory regions", KVM_CAP_USER_MEMORY, 1),
                    new Need("more than 32 memory regions", KVM_CAP_NR_MEMSLOTS, 32),
                    new Need("read-only memory", KVM_CAP_READONLY_MEM, 1),
                    new Need("interrupt controllers in the kernel", KVM_CAP_IRQCHIP, 1),
                    new Need("a timer in the kernel", KVM_CAP_PIT2, 1),
                    new Need("the timer's state", KVM_CAP_PIT_STATE2, 1),
                    new Need("interrupt routing", KVM_CAP_IRQ_ROUTING, 256),
                    new Need("message-signalled interrupts", KVM_CAP_SIGNAL_MSI, 1),
                    new Need("interrupts by eventfd", KVM_CAP_IRQFD, 1),
                    new Need("level interrupts by eventfd", KVM_CAP_IRQFD_RESAMPLE, 1),
                    new Need("stores that signal an eventfd", KVM_CAP_IOEVENTFD, 1),
                    new Need("such stores of any width", KVM_CAP_IOEVENTFD_ANY_LENGTH, 1),
                    new Need("immediate exit", KVM_CAP_IMMEDIATE_EXIT, 1),
                    new Need("CPUID tables", KVM_CAP_EXT_CPUID, 1),
                    new Need("processor states", KVM_CAP_MP_STATE, 1),
                    new Need("pending events", KVM_CAP_VCPU_EVENTS, 1),
                    new Need("debug registers", KVM_CAP_DEBUGREGS, 1),
                    new Need("extended registers", KVM_CAP_XSAVE, 1),
                    new Need("setting the clock", KVM_CAP_ADJUST_CLOCK, 1),
                    new Need("placing its task state", KVM_CAP_SET_TSS_ADDR, 1),
                    new Need("placing its page tables", KVM_CAP_SET_IDENTITY_MAP_ADDR, 1));

    private final KvmFd fd;

    private KvmDevice(KvmFd fd) {
        this.fd = fd;
    }

    /**
     * @param path {@code /dev/kvm}
     * @throws HypervisorException it is not there, not permitted, or lacks something
     */
    static KvmDevice open(Path path) throws HypervisorException {
        Fd opened;
        try {
            opened = Fd.open(path, OpenFlag.READ, OpenFlag.WRITE);
        } catch (LinuxException e) {
            throw new HypervisorException(cannotOpen(path, e), e);
        }
        KvmDevice device = new KvmDevice(new KvmFd(opened));
        try {
            device.check(path);
            return device;
        } catch (HypervisorException e) {
            device.close();
            throw e;
        }
    }

    private static String cannotOpen(Path path, LinuxException e) {
        if (e.isAbsent() || e.isUnsupported()) {
            return "There is no "
                    + path
                    + " on this host: enable virtualization in the firmware (or nested virtualization of the VM"
                    + " this host is) and load the module with 'modprobe kvm_intel' or 'modprobe kvm_amd'.";
        }
        if (e.isPermission()) {
            return "%s may not be opened by this user: %s (%s)."
                    .formatted(path, entry(path), e.getMessage());
        }
        return "%s cannot be used: %s; see 'dmesg'.".formatted(path, e.getMessage());
    }

    /** What lets a user in; Debian's udev has the group {@code kvm} for it. */
    private static String entry(Path path) {
        String otherwise =
                "as root, 'chgrp kvm %s && chmod 660 %s', and become a member of that group"
                        .formatted(path, path);
        try {
            PosixFileAttributes file = Files.readAttributes(path, PosixFileAttributes.class);
            String group = file.group().getName();
            return file.permissions()
                            .containsAll(
                                    Set.of(
                                            PosixFilePermission.GROUP_READ,
                                            PosixFilePermission.GROUP_WRITE))
                    ? "become a member of its group '%s' with 'usermod -aG %s USER', and log in again"
                            .formatted(group, group)
                    : otherwise;
        } catch (IOException e) {
            return otherwise;
        }
    }

    private void check(Path path) throws HypervisorException {
        int version = fd.attempt(KVM_GET_API_VERSION, 0);
        if (version < 0) {
            throw new HypervisorException(
                    "%s does not answer KVM_GET_API_VERSION: it is no KVM; remove it and load KVM's module."
                            .formatted(path));
        }
        if (version != KVM_API_VERSION) {
            throw new HypervisorException(
                    "KVM's interface on this host has version %d and this engine speaks %d; use a kernel of 2.6.22 or later."
                            .formatted(version, KVM_API_VERSION));
        }
        for (Need need : NEEDS) {
            int there = capability(need.capability());
            if (there < need.least()) {
                throw new HypervisorException(
                        "This host's KVM lacks %s (KVM_CHECK_EXTENSION %d gives %d, %d is needed); use a kernel of 5.10 or later for x86-64."
                                .formatted(need.name(), need.capability(), there, need.least()));
            }
        }
    }

    /** What {@code KVM_CHECK_EXTENSION} gives; 0 if KVM does not know the extension. */
    int capability(int extension) throws HypervisorException {
        return fd.call(KVM_CHECK_EXTENSION, extension, "extension " + extension);
    }

    /** Bytes that each processor shares with this process. */
    int runBytes() throws HypervisorException {
        return fd.call(KVM_GET_VCPU_MMAP_SIZE, 0, "no arguments");
    }

    KvmFd createVm(String name) throws HypervisorException {
        return new KvmFd(fd.open(KVM_CREATE_VM, 0, "VM '" + name + "'"));
    }

    /** What processors can be told to be. */
    List<CpuidEntry> supportedCpuid() throws HypervisorException {
        int most = 256;
        try (Struct table = Struct.of(CPUID_ENTRIES + most * CPUID_ENTRY_BYTES)) {
            table.u32(CPUID_COUNT, most);
            fd.call(KVM_GET_SUPPORTED_CPUID, table, "room for " + most + " entries");
            return CpuidEntry.read(table);
        }
    }

    /** The model-specific registers that have a state. */
    int[] msrIndices() throws HypervisorException {
        int most = 1024;
        try (Struct list = Struct.of(MSR_LIST_INDICES + most * Integer.BYTES)) {
            list.u32(MSR_LIST_COUNT, most);
            fd.call(KVM_GET_MSR_INDEX_LIST, list, "room for " + most + " indices");
            int[] indices = new int[list.u32(MSR_LIST_COUNT)];
            for (int i = 0; i < indices.length; i++) {
                indices[i] = list.u32(MSR_LIST_INDICES + i * Integer.BYTES);
            }
            return indices;
        }
    }

    @Override
    public void close() {
        fd.close();
    }
}
