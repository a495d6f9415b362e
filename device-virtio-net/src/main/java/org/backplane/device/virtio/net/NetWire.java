package org.backplane.device.virtio.net;

/** Numbers and offsets of the network device (virtio 1.2, section 5.1): the only place for them. */
final class NetWire {
    private NetWire() {}

    static final int DEVICE_ID = 1;

    /** Network controller, Ethernet. */
    static final int CLASS_CODE = 0x020000;

    // Section 5.1.3, feature bits.
    static final long F_CSUM = 1;
    static final long F_GUEST_CSUM = 1 << 1;
    static final long F_CTRL_GUEST_OFFLOADS = 1 << 2;
    static final long F_MTU = 1 << 3;
    static final long F_MAC = 1 << 5;
    static final long F_GUEST_TSO4 = 1 << 7;
    static final long F_GUEST_TSO6 = 1 << 8;
    static final long F_GUEST_ECN = 1 << 9;
    static final long F_HOST_TSO4 = 1 << 11;
    static final long F_HOST_TSO6 = 1 << 12;
    static final long F_HOST_ECN = 1 << 13;
    static final long F_MRG_RXBUF = 1 << 15;
    static final long F_STATUS = 1 << 16;
    static final long F_CTRL_VQ = 1 << 17;
    static final long F_CTRL_RX = 1 << 18;
    static final long F_CTRL_VLAN = 1 << 19;
    static final long F_CTRL_RX_EXTRA = 1 << 20;
    static final long F_GUEST_ANNOUNCE = 1 << 21;
    static final long F_MQ = 1 << 22;
    static final long F_CTRL_MAC_ADDR = 1 << 23;

    /** What the driver takes: the offloads that CTRL_GUEST_OFFLOADS_SET is about. */
    static final long GUEST_OFFLOADS = F_GUEST_CSUM | F_GUEST_TSO4 | F_GUEST_TSO6 | F_GUEST_ECN;

    /** What the driver may send. */
    static final long HOST_OFFLOADS = F_CSUM | F_HOST_TSO4 | F_HOST_TSO6 | F_HOST_ECN;

    // Section 5.1.4, struct virtio_net_config.
    static final int CONFIG_MAC = 0;
    static final int CONFIG_STATUS = 6;
    static final int CONFIG_MAX_PAIRS = 8;
    static final int CONFIG_MTU = 10;
    static final int CONFIG_BYTES = 12;

    static final int S_LINK_UP = 1;
    static final int S_ANNOUNCE = 2;

    // Section 5.1.6, struct virtio_net_hdr. Its length is the same with and without merged
    // buffers since VERSION_1; a legacy driver has num_buffers only with them (section 5.1.6.1).
    static final int HEADER_FLAGS = 0;
    static final int HEADER_NUM_BUFFERS = 10;
    static final int HEADER_BYTES = 12;
    static final int LEGACY_HEADER_BYTES = 10;

    /** Section 6: the driver is not a legacy one. */
    static final long F_VERSION_1 = 1L << 32;

    // Ethernet: destination, source, type; behind a VLAN tag's type its number in 12 bits.
    static final int MAC_BYTES = 6;
    static final int ETHERNET_TYPE = 12;
    static final int ETHERNET_BYTES = 14;
    static final int VLAN_TAG = 14;
    static final int VLAN_BYTES = 4;
    static final int TYPE_VLAN = 0x8100;
    static final int VLANS = 4096;

    /** A segment of 64 KiB behind an Ethernet header with a VLAN tag. */
    static final int LONGEST_FRAME = 65536 + ETHERNET_BYTES + VLAN_BYTES;

    // Section 5.1.6.5, the control queue: class, command, then what belongs to the command.
    static final int CTRL_CLASS = 0;
    static final int CTRL_COMMAND = 1;
    static final int CTRL_DATA = 2;

    static final byte CTRL_OK = 0;
    static final byte CTRL_ERR = 1;

    static final int CTRL_RX = 0;
    static final int CTRL_RX_PROMISC = 0;
    static final int CTRL_RX_ALLMULTI = 1;
    static final int CTRL_RX_ALLUNI = 2;
    static final int CTRL_RX_NOMULTI = 3;
    static final int CTRL_RX_NOUNI = 4;
    static final int CTRL_RX_NOBCAST = 5;

    static final int CTRL_MAC = 1;
    static final int CTRL_MAC_TABLE_SET = 0;
    static final int CTRL_MAC_ADDR_SET = 1;

    static final int CTRL_VLAN = 2;
    static final int CTRL_VLAN_ADD = 0;
    static final int CTRL_VLAN_DEL = 1;

    static final int CTRL_ANNOUNCE = 3;
    static final int CTRL_ANNOUNCE_ACK = 0;

    static final int CTRL_MQ = 4;
    static final int CTRL_MQ_PAIRS_SET = 0;

    static final int CTRL_OFFLOADS = 5;
    static final int CTRL_OFFLOADS_SET = 0;
}
