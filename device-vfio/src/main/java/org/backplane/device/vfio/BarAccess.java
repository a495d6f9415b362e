package org.backplane.device.vfio;

import java.util.ArrayList;
import java.util.List;
import org.backplane.device.context.Lease;
import org.backplane.linux.Mapping;
import org.backplane.pci.PciShape;
import org.backplane.pci.PciWires;
import org.backplane.vfio.RegionInfo;
import org.backplane.vfio.VfioDevice;

/**
 * Lays the device's memory into the guest's BARs, wherever a region can be mapped: the function
 * takes whole pages of it, without those of MSI-X. What is left comes as single accesses.
 */
final class BarAccess {
    private final VfioDevice device;
    private final List<PciShape.Bar> bars;
    private final List<Lease> mapped = new ArrayList<>();

    BarAccess(VfioDevice device, List<PciShape.Bar> bars) {
        this.device = device;
        this.bars = bars;
    }

    synchronized void map(PciWires wires) {
        for (PciShape.Bar bar : bars) {
            if (bar.kind() != PciShape.BarKind.IO) {
                map(wires, device.region(bar.index()));
            }
        }
    }

    private void map(PciWires wires, RegionInfo region) {
        for (RegionInfo.Area area : region.mappable()) {
            if (isInside(area, region)) {
                mapped.add(
                        wires.map(
                                region.index(),
                                area.offset(),
                                device.mapping(region.index()),
                                region.fileOffset() + area.offset(),
                                area.length()));
            }
        }
    }

    /** What is offered and not mapped, a clause for each area; it works, but slower. */
    synchronized List<String> trapped() {
        List<String> trapped = new ArrayList<>();
        for (PciShape.Bar bar : bars) {
            RegionInfo region = device.region(bar.index());
            device.unmapped(bar.index())
                    .ifPresent(
                            reason ->
                                    trapped.add(clause(region.index(), region.size(), 0, reason)));
            if (bar.kind() == PciShape.BarKind.IO || region.size() < Mapping.pageSize()) {
                // Nobody expects a few registers to be mapped.
                continue;
            }
            for (RegionInfo.Area area : region.mappable()) {
                if (!isInside(area, region)) {
                    trapped.add(
                            clause(
                                    region.index(),
                                    area.length(),
                                    area.offset(),
                                    "the BAR ends at 0x%x".formatted(region.size())));
                } else if (!hasPages(area, region)) {
                    trapped.add(
                            clause(
                                    region.index(),
                                    area.length(),
                                    area.offset(),
                                    "no whole page of the host's is in it"));
                }
            }
        }
        return trapped;
    }

    private static String clause(int bar, long length, long offset, String reason) {
        return "0x%x bytes at 0x%x of BAR %d are trapped access by access: %s"
                .formatted(length, offset, bar, reason);
    }

    private static boolean isInside(RegionInfo.Area area, RegionInfo region) {
        return area.offset() >= 0
                && area.length() > 0
                && area.length() <= region.size() - area.offset();
    }

    /** As the function has it, which maps only what is a page at both ends. */
    private static boolean hasPages(RegionInfo.Area area, RegionInfo region) {
        long page = Mapping.pageSize();
        long first = area.offset() + page - 1 & -page;
        long end = area.offset() + area.length() & -page;
        return first < end && Math.floorMod(region.fileOffset(), page) == 0;
    }

    /** From now on every access comes here. */
    synchronized void unmap() {
        mapped.forEach(Lease::close);
        mapped.clear();
    }
}
