package org.backplane.machine;

import java.util.List;
import org.backplane.bus.AddressRange;
import org.backplane.bus.RegionLease;
import org.backplane.bus.Space;

/**
 * The address map at one moment: memory and every window with its regions and holes.
 *
 * @param ports what root ports forward of the windows; functions behind them can be nowhere else
 */
public record AddressMap(List<Memory> memory, List<Window> windows, List<PortWindow> ports) {
    /** The map of a board without root ports. */
    public AddressMap(List<Memory> memory, List<Window> windows) {
        this(memory, windows, List.of());
    }

    /**
     * A part of a window that a root port forwards now.
     *
     * @param port slot number of the port
     * @param kind {@code io}, {@code mem32} or {@code pref}
     * @param range as the guest programmed it
     */
    public record PortWindow(int port, Space space, String kind, AddressRange range) {}

    /** Guest memory of a kind: RAM, ROM, DEVICE. */
    public record Memory(String kind, AddressRange range) {}

    /** A window that regions are claimed in. */
    public record Window(
            String name,
            Space space,
            AddressRange range,
            List<Region> regions,
            List<AddressRange> holes) {}

    /**
     * A claim.
     *
     * @param owner slot and part: {@code disk0 BAR0}
     * @param decoding whether accesses reach it now
     * @param reads accesses that came to the machine's bus since the claim was made
     * @param writes as reads
     * @param engine whether the engine answers here itself: those accesses make no exit, and reads
     *     and writes count only what it lets through
     */
    public record Region(
            String owner,
            AddressRange range,
            boolean decoding,
            long reads,
            long writes,
            boolean engine) {
        /** One that the machine's bus answers for. */
        public Region(String owner, AddressRange range, boolean decoding, long reads, long writes) {
            this(owner, range, decoding, reads, writes, false);
        }

        /** A picture of a lease. */
        public static Region of(RegionLease lease) {
            return of(lease, false);
        }

        static Region of(RegionLease lease, boolean engine) {
            return new Region(
                    lease.owner(),
                    lease.range(),
                    lease.decoding(),
                    lease.reads(),
                    lease.writes(),
                    engine);
        }
    }
}
