package org.backplane.machine.board;

import java.util.List;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Space;
import org.backplane.device.context.FirmwareNode;

/**
 * A device that firmware has to describe.
 *
 * @param regions in the order in which they were claimed
 * @param lines wired sources, in the order in which they were taken
 */
public record PlatformDevice(
        String slot, FirmwareNode node, List<Region> regions, List<Integer> lines) {
    /** What one region decodes. */
    public record Region(Space space, AddressRange range) {}

    public PlatformDevice {
        regions = List.copyOf(regions);
        lines = List.copyOf(lines);
    }

    /** Those that a device tree's {@code reg} can hold. */
    List<AddressRange> memoryRegions() {
        return regions.stream()
                .filter(region -> region.space() == Space.MMIO)
                .map(Region::range)
                .toList();
    }
}
