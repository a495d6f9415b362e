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
}
