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

    /** Of regions that were given back. */
    private long readsBefore;

    private long writesBefore;

    /** Only until a region of that number is there. */
    private List<SavedSlot.Place> expected = List.of();

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
        Placement where = number < expected.size() ? expected(number, space, size) : placement;
        var handler = new GatedHandler(gear);
        RegionLease lease =
                gear.board()
                        .bus()
                        .claim(
                                gear.board().platformWindow(space),
                                gear.name(),
                                size,
                                where,
                                handler);
        var region = new Region(space, gear.leases().push("region " + number, lease), handler);
        regions.add(region);
        return region;
    }

    /** Where the regions were that a device will ask for: a restored slot's. */
    synchronized void restore(List<SavedSlot.Place> saved) {
        expected = List.copyOf(saved);
    }

    private Placement expected(int number, Space space, long size) throws ClaimException {
        SavedSlot.Place was = expected.get(number);
        if (was.space() != space || was.range().size() != size) {
            throw new ClaimException(
                    "%s: region %d was 0x%x bytes of %s space, the device wants 0x%x of %s."
                            .formatted(
                                    gear.name(),
                                    number,
                                    was.range().size(),
                                    was.space(),
                                    size,
                                    space));
        }
        return new Placement.Exact(was.range().base());
    }

    synchronized List<SavedSlot.Place> places() {
        return regions.stream()
                .map(region -> new SavedSlot.Place(region.space, region.lease.range()))
                .toList();
    }

    /** Gives every region back: the next device asks anew. Nobody may be inside of the gate. */
    synchronized void release() {
        regions.forEach(region -> gear.leases().release(region.lease));
        readsBefore = reads();
        writesBefore = writes();
        regions.clear();
        expected = List.of();
    }

    /** Accesses to regions of the slot so far, those that it has given back included. */
    synchronized long reads() {
        return readsBefore + regions.stream().mapToLong(region -> region.lease.reads()).sum();
    }

    synchronized long writes() {
        return writesBefore + regions.stream().mapToLong(region -> region.lease.writes()).sum();
    }

    synchronized List<RegionLease> leases() {
        return regions.stream().map(Region::lease).toList();
    }
}
