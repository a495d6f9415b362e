package org.backplane.machine.board;

import java.util.List;
import org.backplane.bus.AddressRange;
import org.backplane.device.context.FirmwareNode;

/**
 * A device that firmware has to describe.
 *
 * @param regions in MMIO space, in the order in which they were claimed
 * @param lines wired sources, in the order in which they were taken
 */
public record PlatformDevice(
        String slot, FirmwareNode node, List<AddressRange> regions, List<Integer> lines) {
    public PlatformDevice {
        regions = List.copyOf(regions);
        lines = List.copyOf(lines);
    }
}
