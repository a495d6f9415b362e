package org.backplane.device.virtio.net;

import java.util.LinkedHashSet;
import java.util.Set;
import org.backplane.device.virtio.net.RxFilter.Mode;
import org.backplane.virtio.DescriptorChain;
import org.backplane.virtio.SplitQueue;

/**
 * Carries the driver's commands out (virtio 1.2, section 5.1.6.5). Whatever is wrong with one is
 * answered VIRTIO_NET_ERR, and changes nothing.
 */
final class ControlQueue {
    /** Two tables of addresses, each longer than is told apart. */
    private static final int LONGEST = 8192;

    private static final int COUNT_BYTES = 4;

    private final VirtioNet net;
    private final byte[] command = new byte[LONGEST];
    private final byte[] answer = new byte[1];

    ControlQueue(VirtioNet net) {
        this.net = net;
    }

    /** On the queue's worker. */
    void work(SplitQueue queue) {
        do {
            DescriptorChain chain;
            while (net.running() && (chain = queue.poll()) != null) {
                carryOut(queue, chain);
            }
            queue.interrupt();
        } while (queue.enableNotifications() && net.running());
    }

    private void carryOut(SplitQueue queue, DescriptorChain chain) {
        if (chain.writableLength() < 1) {
            net.guestMistook("a command without room for its answer");
            queue.complete(chain, 0);
            return;
        }
        long length = chain.readableLength();
        boolean done = false;
        if (length >= NetWire.CTRL_DATA && length <= LONGEST) {
            chain.read(0, command, 0, (int) length);
            done = execute((int) length - NetWire.CTRL_DATA);
        }
        if (!done) {
            net.guestMistook(
                    "command %d of class %d, %d bytes",
                    command[NetWire.CTRL_COMMAND], command[NetWire.CTRL_CLASS], length);
        }
        answer[0] = done ? NetWire.CTRL_OK : NetWire.CTRL_ERR;
        chain.write(0, answer, 0, 1);
        queue.complete(chain, 1);
    }

    /**
     * @param data bytes behind the command
     * @return whether it was done
     */
    private boolean execute(int data) {
        int number = command[NetWire.CTRL_COMMAND] & 0xff;
        return switch (command[NetWire.CTRL_CLASS] & 0xff) {
            case NetWire.CTRL_RX -> receiveMode(number, data);
            case NetWire.CTRL_MAC -> addresses(number, data);
            case NetWire.CTRL_VLAN -> vlan(number, data);
            case NetWire.CTRL_ANNOUNCE ->
                    net.negotiated(NetWire.F_GUEST_ANNOUNCE)
                            && number == NetWire.CTRL_ANNOUNCE_ACK
                            && data == 0
                            && net.announced();
            case NetWire.CTRL_MQ ->
                    net.negotiated(NetWire.F_MQ)
                            && number == NetWire.CTRL_MQ_PAIRS_SET
                            && data == 2
                            && net.setPairs((int) little(NetWire.CTRL_DATA, 2));
            case NetWire.CTRL_OFFLOADS ->
                    net.negotiated(NetWire.F_CTRL_GUEST_OFFLOADS)
                            && number == NetWire.CTRL_OFFLOADS_SET
                            && data == Long.BYTES
                            && net.setOffloads(little(NetWire.CTRL_DATA, Long.BYTES));
            default -> false;
        };
    }

    private boolean receiveMode(int number, int data) {
        Mode[] modes = Mode.values();
        if (number >= modes.length || data != 1) {
            return false;
        }
        boolean extra = number > NetWire.CTRL_RX_ALLMULTI;
        if (!net.negotiated(extra ? NetWire.F_CTRL_RX_EXTRA : NetWire.F_CTRL_RX)) {
            return false;
        }
        boolean on = command[NetWire.CTRL_DATA] != 0;
        net.filter(net.filter().with(modes[number], on));
        return true;
    }

    private boolean addresses(int number, int data) {
        if (number == NetWire.CTRL_MAC_ADDR_SET) {
            if (!net.negotiated(NetWire.F_CTRL_MAC_ADDR) || data != NetWire.MAC_BYTES) {
                return false;
            }
            MacAddress mac = MacAddress.read(command, NetWire.CTRL_DATA);
            if (!mac.isStation()) {
                return false;
            }
            net.filter(net.filter().withMac(mac));
            return true;
        }
        return number == NetWire.CTRL_MAC_TABLE_SET
                && net.negotiated(NetWire.F_CTRL_RX)
                && tables(data);
    }

    /** Two tables, each behind the number of its addresses. */
    private boolean tables(int data) {
        int end = NetWire.CTRL_DATA + data;
        int stations = NetWire.CTRL_DATA;
        long stationsEnd = tableEnd(stations, end);
        if (stationsEnd < 0) {
            return false;
        }
        long groupsEnd = tableEnd((int) stationsEnd, end);
        if (groupsEnd != end) {
            return false;
        }
        net.filter(
                net.filter()
                        .withTables(
                                table(stations, (int) stationsEnd),
                                table((int) stationsEnd, (int) groupsEnd)));
        return true;
    }

    /** Behind a table's last byte, or -1 if that is behind the command's. */
    private long tableEnd(int table, int end) {
        if (table + COUNT_BYTES > end) {
            return -1;
        }
        long tableEnd = table + COUNT_BYTES + little(table, COUNT_BYTES) * NetWire.MAC_BYTES;
        return tableEnd <= end ? tableEnd : -1;
    }

    private Set<MacAddress> table(int from, int to) {
        Set<MacAddress> addresses = new LinkedHashSet<>();
        for (int at = from + COUNT_BYTES; at < to; at += NetWire.MAC_BYTES) {
            addresses.add(MacAddress.read(command, at));
        }
        return addresses;
    }

    private boolean vlan(int number, int data) {
        if (!net.negotiated(NetWire.F_CTRL_VLAN) || data != 2) {
            return false;
        }
        int tag = (int) little(NetWire.CTRL_DATA, 2);
        if (tag >= NetWire.VLANS
                || (number != NetWire.CTRL_VLAN_ADD && number != NetWire.CTRL_VLAN_DEL)) {
            return false;
        }
        net.filter(net.filter().withVlan(tag, number == NetWire.CTRL_VLAN_ADD));
        return true;
    }

    private long little(int at, int bytes) {
        long value = 0;
        for (int i = bytes - 1; i >= 0; i--) {
            value = value << 8 | command[at + i] & 0xff;
        }
        return value;
    }
}
