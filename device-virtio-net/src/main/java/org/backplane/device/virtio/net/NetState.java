package org.backplane.device.virtio.net;

import java.util.BitSet;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.device.virtio.net.RxFilter.Mode;

/**
 * What a network card knows beyond its settings. Queues are the slot's, and so is the link.
 *
 * @param filter with the address that the driver has now
 * @param pairs of queues in use
 * @param offloadsOff which of the offloads that the driver negotiated it has switched off
 * @param announce whether the driver has yet to announce itself on the network
 */
record NetState(RxFilter filter, int pairs, long offloadsOff, boolean announce) {
    static final String SCHEMA = "virtio-net";
    static final int VERSION = 1;

    private static final int VLAN_BYTES = NetWire.VLANS / Byte.SIZE;

    SavedState saved() {
        SavedState.Builder state =
                SavedState.of(SCHEMA, VERSION)
                        .bytes("mac", filter.mac().bytes())
                        .bytes("unicast", bytes(filter.unicast()))
                        .number("unicastOverflow", filter.unicastOverflow() ? 1 : 0)
                        .bytes("multicast", bytes(filter.multicast()))
                        .number("multicastOverflow", filter.multicastOverflow() ? 1 : 0)
                        .bytes("vlans", filter.vlans().toByteArray())
                        .number("pairs", pairs)
                        .number("offloadsOff", offloadsOff)
                        .number("announce", announce ? 1 : 0);
        for (Mode mode : Mode.values()) {
            state.number(name(mode), filter.modes().contains(mode) ? 1 : 0);
        }
        return state.build();
    }

    /**
     * @param mac of a state that does not say
     * @param mostPairs that the slot has
     */
    static NetState of(SavedState state, MacAddress mac, int mostPairs) throws DeviceException {
        state.require(SCHEMA, VERSION);
        MacAddress own = mac;
        if (state.bytes("mac") != null) {
            own = MacAddress.read(state.bytes("mac", NetWire.MAC_BYTES, NetWire.MAC_BYTES), 0);
            if (!own.isStation()) {
                throw state.damaged("'mac' is %s, which no station has", own);
            }
        }
        Set<Mode> modes = EnumSet.noneOf(Mode.class);
        for (Mode mode : Mode.values()) {
            if (state.flag(name(mode), mode == Mode.PROMISC)) {
                modes.add(mode);
            }
        }
        byte[] vlans =
                state.bytes("vlans") == null ? new byte[0] : state.bytes("vlans", 0, VLAN_BYTES);
        if (vlans.length > 0 && vlans[vlans.length - 1] == 0) {
            throw state.damaged("'vlans' ends with a byte without a tag");
        }
        long off = state.number("offloadsOff", 0);
        if ((off & ~NetWire.GUEST_OFFLOADS) != 0) {
            throw state.damaged("'offloadsOff' is 0x%x", off);
        }
        return new NetState(
                new RxFilter(
                        own,
                        modes,
                        addresses(state, "unicast"),
                        state.flag("unicastOverflow", false),
                        addresses(state, "multicast"),
                        state.flag("multicastOverflow", false),
                        BitSet.valueOf(vlans)),
                (int) state.number("pairs", 1, 1, mostPairs),
                off,
                state.flag("announce", false));
    }

    private static String name(Mode mode) {
        return mode.name().toLowerCase(Locale.ROOT);
    }

    /** In ascending order, so that equal tables are saved alike. */
    private static byte[] bytes(Set<MacAddress> addresses) {
        byte[] bytes = new byte[addresses.size() * NetWire.MAC_BYTES];
        int at = 0;
        for (long bits : new TreeSet<>(addresses.stream().map(MacAddress::bits).toList())) {
            System.arraycopy(new MacAddress(bits).bytes(), 0, bytes, at, NetWire.MAC_BYTES);
            at += NetWire.MAC_BYTES;
        }
        return bytes;
    }

    private static Set<MacAddress> addresses(SavedState state, String name) throws DeviceException {
        Set<MacAddress> addresses = new LinkedHashSet<>();
        if (state.bytes(name) == null) {
            return addresses;
        }
        byte[] bytes = state.bytes(name, 0, RxFilter.MOST_ADDRESSES * NetWire.MAC_BYTES);
        if (bytes.length % NetWire.MAC_BYTES != 0) {
            throw state.damaged("'%s' has %d bytes", name, bytes.length);
        }
        long before = -1;
        for (int at = 0; at < bytes.length; at += NetWire.MAC_BYTES) {
            MacAddress next = MacAddress.read(bytes, at);
            if (next.bits() <= before) {
                throw state.damaged("'%s' is not in order at %s", name, next);
            }
            before = next.bits();
            addresses.add(next);
        }
        return addresses;
    }
}
