package org.backplane.machine.slot;

import java.util.ArrayList;
import java.util.List;
import org.backplane.bus.ClaimException;
import org.backplane.bus.Placement;
import org.backplane.bus.RegionLease;
import org.backplane.bus.Space;

/**
 * The regions of a device that is not on PCI. They are the slot's: the n-th region that a version
 * of the device asks for is the n-th of the version before, with another handler behind it.
 */
final class SlotRegions {
    private final SlotGear gear;
    private final List<Region> regions = new ArrayList<>();

    SlotRegions(SlotGear gear) {
        this.gear = gear;
    }

    /** One region and who answers in it. */
    record Region(Space space, RegionLease lease, GatedHandler handler) {}

    /** The region of that number, claimed now if there is none yet. */
    synchronized Region take(int number, Space space, long size, Placement placement)
            throws ClaimException {
        if (number < regions.size()) {
            Region there = regions.get(number);
            if (there.space != space || there.lease.range().size() != size) {
                throw new ClaimException(
                        "%s: region %d is 0x%x bytes of %s space, the new device wants 0x%x of %s."
                                .formatted(
                                        gear.name(),
                                        number,
                                        there.lease.range().size(),
                                        there.space,
                                        size,
                                        space));
            }
            return there;
        }
        var handler = new GatedHandler(gear);
        RegionLease lease =
                gear.board()
                        .bus()
                        .claim(
                                gear.board().platformWindow(space),
                                gear.name(),
                                size,
                                placement,
                                handler);
        var region = new Region(space, gear.leases().push("region " + number, lease), handler);
        regions.add(region);
        return region;
    }

    /** Gives every region back: the next device asks anew. Nobody may be inside of the gate. */
    synchronized void release() {
        regions.forEach(region -> gear.leases().release(region.lease));
        regions.clear();
    }

    synchronized List<RegionLease> leases() {
        return regions.stream().map(Region::lease).toList();
    }
}
