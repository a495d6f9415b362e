package org.backplane.linux.slirp;

/**
 * Numbers and layouts of libslirp's interface on 64-bit hosts, as of {@code SlirpConfig} version 4
 * (libslirp 4.7). The only place that holds them; a test compares every one with the header.
 */
public final class SlirpAbi {
    private SlirpAbi() {}

    public static final int SLIRP_POLL_IN = 1;
    public static final int SLIRP_POLL_OUT = 2;
    public static final int SLIRP_POLL_PRI = 4;
    public static final int SLIRP_POLL_ERR = 8;
    public static final int SLIRP_POLL_HUP = 16;

    /** The version of {@code SlirpConfig} that is laid out here. */
    public static final int CONFIG_VERSION = 4;

    public static final int CONFIG_BYTES = 184;

    // Version 1.
    public static final int VERSION = 0;
    public static final int RESTRICTED = 4;
    public static final int IN_ENABLED = 8;
    public static final int VNETWORK = 12;
    public static final int VNETMASK = 16;
    public static final int VHOST = 20;
    public static final int IN6_ENABLED = 24;
    public static final int VPREFIX_ADDR6 = 28;
    public static final int VPREFIX_LEN = 44;
    public static final int VHOST6 = 48;
    public static final int VHOSTNAME = 64;
    public static final int TFTP_SERVER_NAME = 72;
    public static final int TFTP_PATH = 80;
    public static final int BOOTFILE = 88;
    public static final int VDHCP_START = 96;
    public static final int VNAMESERVER = 100;
    public static final int VNAMESERVER6 = 104;
    public static final int VDNSSEARCH = 120;
    public static final int VDOMAINNAME = 128;
    public static final int IF_MTU = 136;
    public static final int IF_MRU = 144;
    public static final int DISABLE_HOST_LOOPBACK = 152;
    public static final int ENABLE_EMU = 153;
    // Version 2.
    public static final int OUTBOUND_ADDR = 160;
    public static final int OUTBOUND_ADDR6 = 168;
    // Version 3.
    public static final int DISABLE_DNS = 176;
    // Version 4.
    public static final int DISABLE_DHCP = 177;

    public static final int CB_BYTES = 88;
    public static final int SEND_PACKET = 0;
    public static final int GUEST_ERROR = 8;
    public static final int CLOCK_GET_NS = 16;
    public static final int TIMER_NEW = 24;
    public static final int TIMER_FREE = 32;
    public static final int TIMER_MOD = 40;
    public static final int REGISTER_POLL_FD = 48;
    public static final int UNREGISTER_POLL_FD = 56;
    public static final int NOTIFY = 64;
    public static final int INIT_COMPLETED = 72;
    public static final int TIMER_NEW_OPAQUE = 80;
}
