package org.backplane.vfio.user;

import java.util.List;
import java.util.Map;
import org.backplane.vfio.IrqInfo;
import org.backplane.vfio.RegionInfo;

/**
 * What a server says that its device is.
 *
 * @param regions of every index of {@link org.backplane.vfio.VfioDevice}
 * @param irqs likewise
 * @param unmapped by the index of a region that it offers to map, why that is not done: a clause
 */
record DeviceShape(
        boolean resettable,
        List<RegionInfo> regions,
        List<IrqInfo> irqs,
        Map<Integer, String> unmapped) {
    DeviceShape {
        unmapped = Map.copyOf(unmapped);
        regions = List.copyOf(regions);
        irqs = List.copyOf(irqs);
    }
}
