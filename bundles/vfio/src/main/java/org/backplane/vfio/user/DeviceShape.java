package org.backplane.vfio.user;

import java.util.List;
import org.backplane.vfio.IrqInfo;
import org.backplane.vfio.RegionInfo;

/**
 * What a server says that its device is.
 *
 * @param regions of every index of {@link org.backplane.vfio.VfioDevice}
 * @param irqs likewise
 */
record DeviceShape(boolean resettable, List<RegionInfo> regions, List<IrqInfo> irqs) {
    DeviceShape {
        regions = List.copyOf(regions);
        irqs = List.copyOf(irqs);
    }

    /**
     * In what another differs, for a message; empty if a driver cannot tell the two apart. Where a
     * region begins in its descriptor is of no concern: the descriptor is another one too.
     */
    String difference(DeviceShape other) {
        if (resettable != other.resettable) {
            return other.resettable ? "it can be reset now" : "it cannot be reset any more";
        }
        for (int i = 0; i < regions.size(); i++) {
            RegionInfo before = atZero(regions.get(i));
            RegionInfo now = atZero(other.regions.get(i));
            if (!before.equals(now)) {
                return "region %d was %s and is %s".formatted(i, before, now);
            }
        }
        for (int i = 0; i < irqs.size(); i++) {
            if (!irqs.get(i).equals(other.irqs.get(i))) {
                return "interrupt %d was %s and is %s".formatted(i, irqs.get(i), other.irqs.get(i));
            }
        }
        return "";
    }

    private static RegionInfo atZero(RegionInfo region) {
        return new RegionInfo(
                region.index(),
                region.size(),
                region.readable(),
                region.writable(),
                0,
                region.mappable(),
                region.msixMappable());
    }
}
