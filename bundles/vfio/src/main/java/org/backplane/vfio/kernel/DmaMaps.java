package org.backplane.vfio.kernel;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.backplane.linux.Ioctl;
import org.backplane.memory.MemoryChanges;
import org.backplane.memory.MemoryListener;
import org.backplane.memory.MemoryRange;
import org.backplane.vfio.VfioException;

/**
 * The guest's memory in an address space of devices: every range at its guest address. RAM has to
 * be there; BARs of other devices are mapped where the kernel allows it, so that devices reach each
 * other. Thread-safe.
 *
 * <p>Mapping all RAM takes the kernel seconds where there is much of it. No lock that a change of
 * the memory takes is held meanwhile: this one's own is wanted by changes only once it listens.
 */
final class DmaMaps implements MemoryListener, AutoCloseable {
    private static final Logger LOG = System.getLogger(DmaMaps.class.getName());

    private final IoAddressSpace space;
    private final MemoryChanges memory;
    private final Set<MemoryRange> mapped = new LinkedHashSet<>();
    private final List<ReservedRegion> reserved = new ArrayList<>();
    private List<IovaRange> usable = List.of();

    /** While this listens: what is pinned must stay what the guest sees. */
    private MemoryChanges.PageHold pages;

    /** Carries a sentence through {@link MemoryChanges#addListener}. */
    private static final class Refused extends IllegalStateException {
        private static final long serialVersionUID = 1L;

        Refused(VfioException cause) {
            super(cause.getMessage(), cause);
        }
    }

    DmaMaps(IoAddressSpace space, MemoryChanges memory) {
        this.space = space;
        this.memory = memory;
    }

    /**
     * Makes sure that nothing mapped so far meets addresses that a group cannot use. Before the
     * group joins the address space: the kernel does not say why it refuses that.
     */
    synchronized void admit(List<ReservedRegion> regions) throws VfioException {
        for (MemoryRange range : mapped) {
            refuseReserved(range, regions);
        }
    }

    /**
     * Likewise, that all of it is inside of what a group can use.
     *
     * @param reached empty if that is not known
     */
    synchronized void admitReach(List<IovaRange> reached) throws VfioException {
        for (MemoryRange range : mapped) {
            refuseUnusable(range, reached);
        }
    }

    /**
     * Takes a group's reserved regions into account, and maps all memory if that was not done. The
     * group has joined the address space.
     */
    void join(List<ReservedRegion> regions) throws VfioException {
        synchronized (this) {
            reserved.addAll(regions);
            usable = space.usable();
            // Kernels before Linux 5.4 let every group join.
            admitReach(usable);
            if (pages != null) {
                return;
            }
            pages = memory.holdPages();
        }
        try {
            memory.addListener(this);
        } catch (Refused e) {
            close();
            throw new VfioException(e.getMessage(), e);
        }
    }

    /** A group has left. */
    synchronized void leave(int group) {
        reserved.removeIf(region -> region.group() == group);
    }

    @Override
    public synchronized void added(MemoryRange range) {
        boolean ram = !ofDevice(range);
        try {
            if (ram) {
                refuseReserved(range, reserved);
                refuseUnusable(range, usable);
            } else if (meetsReserved(range)) {
                return;
            }
            map(range);
        } catch (VfioException e) {
            if (ram) {
                throw new Refused(e);
            }
            LOG.log(
                    Level.DEBUG,
                    () -> "devices do not reach " + range + " by DMA: " + e.getMessage());
        }
    }

    private boolean meetsReserved(MemoryRange range) {
        return reserved.stream()
                .anyMatch(region -> region.overlaps(range.guestAddress(), range.length()));
    }

    private static void refuseReserved(MemoryRange range, List<ReservedRegion> regions)
            throws VfioException {
        for (ReservedRegion region : regions) {
            if (!region.relaxable() && region.overlaps(range.guestAddress(), range.length())) {
                throw new VfioException(
                        "%s meets what the host reserves at %s, which no device there can use for DMA; %s."
                                .formatted(what(range), region, remedy(range, region.first())));
            }
        }
    }

    private static void refuseUnusable(MemoryRange range, List<IovaRange> usable)
            throws VfioException {
        if (usable.isEmpty()
                || usable.stream()
                        .anyMatch(each -> each.contains(range.guestAddress(), range.length()))) {
            return;
        }
        long reached =
                usable.stream()
                        .filter(each -> each.contains(range.guestAddress(), 1))
                        .mapToLong(each -> each.last() + 1)
                        .findFirst()
                        .orElse(range.guestAddress());
        throw new VfioException(
                "%s is not wholly inside of what the host's IOMMU lets devices use, %s; %s."
                        .formatted(what(range), ranges(usable), remedy(range, reached)));
    }

    private static String what(MemoryRange range) {
        return "%s at 0x%x-0x%x"
                .formatted(
                        ofDevice(range) ? "A BAR of another device" : "The guest's RAM",
                        range.guestAddress(),
                        range.end() - 1);
    }

    private static boolean ofDevice(MemoryRange range) {
        return range.kind() == MemoryRange.Kind.DEVICE;
    }

    private static String ranges(List<IovaRange> usable) {
        List<String> texts = new ArrayList<>();
        usable.forEach(each -> texts.add("0x%x-0x%x".formatted(each.first(), each.last())));
        return String.join(", ", texts);
    }

    /** How much memory would do, where that helps. */
    private static String remedy(MemoryRange range, long end) {
        if (ofDevice(range)) {
            return "unplug that device, and plug this one first";
        }
        long megabytes = end - range.guestAddress() >> 20;
        return megabytes > 0
                ? "give this piece of the guest's memory %d MiB at most, with --memory"
                        .formatted(megabytes)
                : "run this guest without the device";
    }

    private void map(MemoryRange range) throws VfioException {
        int result =
                space.map(
                        range.guestAddress(),
                        range.hostAddress(),
                        range.length(),
                        range.writable());
        if (result < 0) {
            throw new VfioException(
                    "The guest's memory %s cannot be opened to devices: %s; %s."
                            .formatted(
                                    range, Ioctl.reason(-result), remedy(-result, range.length())));
        }
        mapped.add(range);
    }

    private static String remedy(int errno, long length) {
        return switch (errno) {
            case HostKernel.ENOMEM ->
                    "all of it stays in the host's memory: raise the limit of locked memory with 'ulimit -l' by %d KiB, or free memory of the host"
                            .formatted(length >> 10);
            case HostKernel.ENOSPC ->
                    "the kernel takes no more mappings: raise the parameter dma_entry_limit of the module vfio_iommu_type1";
            case HostKernel.EEXIST -> "something else is there already; report this as a defect";
            case HostKernel.EINVAL, HostKernel.EFAULT ->
                    "the host's IOMMU does not take these addresses: see 'dmesg'";
            default -> "see the kernel's log with 'dmesg'";
        };
    }

    @Override
    public synchronized void removed(MemoryRange range) {
        if (mapped.remove(range)) {
            unmap(range);
        }
    }

    /** A device that reached unmapped memory would be another guest's trouble: it is told. */
    private void unmap(MemoryRange range) {
        int result = space.unmap(range.guestAddress(), range.length());
        if (result < 0) {
            LOG.log(
                    Level.WARNING,
                    () -> "%s stays open to devices: %s".formatted(range, Ioctl.reason(-result)));
        }
    }

    /** Takes everything back. Closing again does nothing. */
    @Override
    public void close() {
        memory.removeListener(this);
        synchronized (this) {
            mapped.forEach(this::unmap);
            mapped.clear();
            if (pages != null) {
                pages.close();
                pages = null;
            }
        }
    }
}
