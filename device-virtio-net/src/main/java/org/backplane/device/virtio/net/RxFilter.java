package org.backplane.device.virtio.net;

import java.util.BitSet;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which frames the driver wants (virtio 1.2, sections 5.1.6.5.1 to 5.1.6.5.3). A value: a change
 * makes another one.
 *
 * @param mac the driver's own address
 * @param modes which of {@link Mode} are on
 * @param unicast further addresses of stations
 * @param multicast addresses of groups
 * @param unicastOverflow whether there were more than fit: all are let in
 * @param multicastOverflow whether there were more groups than fit
 * @param vlans the tags that are let in
 */
record RxFilter(
        MacAddress mac,
        Set<Mode> modes,
        Set<MacAddress> unicast,
        boolean unicastOverflow,
        Set<MacAddress> multicast,
        boolean multicastOverflow,
        BitSet vlans) {
    /** Most addresses of a kind that are told apart. */
    static final int MOST_ADDRESSES = 64;

    /** What the driver switches; the order is that of the commands. */
    enum Mode {
        PROMISC,
        ALLMULTI,
        ALLUNI,
        NOMULTI,
        NOUNI,
        NOBCAST
    }

    RxFilter {
        modes = Set.copyOf(modes);
        unicast = Set.copyOf(unicast);
        multicast = Set.copyOf(multicast);
        vlans = (BitSet) vlans.clone();
    }

    /** Lets everything in: a driver that cannot say what it wants gets all. */
    static RxFilter initial(MacAddress mac) {
        return new RxFilter(
                mac, Set.of(Mode.PROMISC), Set.of(), false, Set.of(), false, new BitSet());
    }

    /** A copy, as a bit set can be changed. */
    @Override
    public BitSet vlans() {
        return (BitSet) vlans.clone();
    }

    RxFilter withMac(MacAddress other) {
        return new RxFilter(
                other, modes, unicast, unicastOverflow, multicast, multicastOverflow, vlans);
    }

    RxFilter with(Mode mode, boolean on) {
        Set<Mode> changed = new TreeSet<>(modes);
        if (on) {
            changed.add(mode);
        } else {
            changed.remove(mode);
        }
        return new RxFilter(
                mac, changed, unicast, unicastOverflow, multicast, multicastOverflow, vlans);
    }

    RxFilter withVlan(int tag, boolean in) {
        BitSet changed = vlans();
        changed.set(tag, in);
        return new RxFilter(
                mac, modes, unicast, unicastOverflow, multicast, multicastOverflow, changed);
    }

    /** Other tables; one of more than {@link #MOST_ADDRESSES} overflows. */
    RxFilter withTables(Set<MacAddress> stations, Set<MacAddress> groups) {
        boolean manyStations = stations.size() > MOST_ADDRESSES;
        boolean manyGroups = groups.size() > MOST_ADDRESSES;
        return new RxFilter(
                mac,
                modes,
                manyStations ? Set.of() : stations,
                manyStations,
                manyGroups ? Set.of() : groups,
                manyGroups,
                vlans);
    }

    /**
     * Whether a frame is let in.
     *
     * @param head its first bytes, {@link NetWire#ETHERNET_BYTES} and a tag's
     * @param tagsCount whether the driver filters by VLAN
     */
    boolean admits(byte[] head, boolean tagsCount) {
        if (modes.contains(Mode.PROMISC)) {
            return true;
        }
        if (tagsCount && word(head, NetWire.ETHERNET_TYPE) == NetWire.TYPE_VLAN) {
            int tag = word(head, NetWire.VLAN_TAG) & (NetWire.VLANS - 1);
            if (!vlans.get(tag)) {
                return false;
            }
        }
        MacAddress to = MacAddress.read(head, 0);
        if (to.equals(MacAddress.BROADCAST)) {
            return !modes.contains(Mode.NOBCAST);
        }
        if (to.isGroup()) {
            return !modes.contains(Mode.NOMULTI)
                    && (modes.contains(Mode.ALLMULTI)
                            || multicastOverflow
                            || multicast.contains(to));
        }
        return !modes.contains(Mode.NOUNI)
                && (modes.contains(Mode.ALLUNI)
                        || unicastOverflow
                        || to.equals(mac)
                        || unicast.contains(to));
    }

    /** Two bytes in the order of the network. */
    private static int word(byte[] bytes, int at) {
        return (bytes[at] & 0xff) << 8 | bytes[at + 1] & 0xff;
    }
}
