package org.backplane.vfio;

import java.util.List;

/**
 * A region of a device (linux/vfio.h, {@code struct vfio_region_info}).
 *
 * @param index {@link VfioDevice#CONFIG} and its like; a BAR is the region of its number
 * @param size in bytes; 0 if the device has no such region
 * @param fileOffset where it begins in the descriptor that {@link VfioDevice#mapping} gives
 * @param mappable the parts that can be mapped, in rising order and apart; empty if none can
 * @param msixMappable whether pages with the MSI-X table are among what can be mapped
 */
public record RegionInfo(
        int index,
        long size,
        boolean readable,
        boolean writable,
        long fileOffset,
        List<Area> mappable,
        boolean msixMappable) {

    public RegionInfo {
        mappable = List.copyOf(mappable);
    }

    /**
     * A part of a region.
     *
     * @param offset in bytes from the region's beginning
     * @param length in bytes
     */
    public record Area(long offset, long length) {}
}
