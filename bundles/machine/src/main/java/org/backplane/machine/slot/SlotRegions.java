package org.backplane.machine.slot;

import java.util.ArrayList;
import java.util.List;
import org.backplane.bus.ClaimException;
import org.backplane.bus.IoHandler;
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
    final class Region implements IoHandler {
        private final Space space;
        private final long size;
        private RegionLease lease;
        private volatile IoHandler target;

        private Region(Space space, long size) {
            this.space = space;
            this.size = size;
        }

        RegionLease lease() {
            return lease;
        }

        void connect(IoHandler handler) {
            target = handler;
        }

        @Override
        public long read(long offset, int width) {
            Gate gate = gear.gate();
            if (!gate.enter()) {
                return -1;
            }
            try {
                return target.read(offset, width);
            } catch (Throwable e) {
                gear.failed().accept(e);
                return -1;
            } finally {
                gate.leave();
            }
        }

        @Override
        public void write(long offset, int width, long value) {
            Gate gate = gear.gate();
            if (!gate.enter()) {
                return;
            }
            try {
                target.write(offset, width, value);
            } catch (Throwable e) {
                gear.failed().accept(e);
            } finally {
                gate.leave();
            }
        }
    }

    /** The region of that number, claimed now if there is none yet. */
    synchronized Region take(int number, Space space, long size, Placement placement)
            throws ClaimException {
        if (number < regions.size()) {
            Region there = regions.get(number);
            if (there.space != space || there.size != size) {
                throw new ClaimException(
                        "%s: region %d is 0x%x bytes of %s space, the new device wants 0x%x of %s."
                                .formatted(
                                        gear.name(), number, there.size, there.space, size, space));
            }
            return there;
        }
        var region = new Region(space, size);
        region.lease =
                gear.leases()
                        .push(
                                "region " + number,
                                gear.board()
                                        .bus()
                                        .claim(
                                                gear.board().platformWindow(space),
                                                gear.name(),
                                                size,
                                                placement,
                                                region));
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
