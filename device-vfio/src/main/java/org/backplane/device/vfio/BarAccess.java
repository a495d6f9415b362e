package org.backplane.device.vfio;

import java.util.ArrayList;
import java.util.List;
import org.backplane.device.context.Lease;
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
            boolean inside =
                    area.offset() >= 0
                            && area.length() > 0
                            && area.length() <= region.size() - area.offset();
            if (inside) {
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

    /** From now on every access comes here. */
    synchronized void unmap() {
        mapped.forEach(Lease::close);
        mapped.clear();
    }
}
