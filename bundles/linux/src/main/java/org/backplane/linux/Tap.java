package org.backplane.linux;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.backplane.linux.libc.Abi;
import org.backplane.linux.libc.Host;

/**
 * One queue of a tap interface (the kernel's Documentation/networking/tuntap.rst): each read gives
 * one Ethernet frame, each write sends one, behind a {@code struct virtio_net_hdr_v1} of {@link
 * #HEADER_BYTES}, or without its last two bytes: {@link #setHeaderBytes}. Non-blocking.
 *
 * <p>The interface may be removed while this is open. Calls then fail with {@link
 * LinuxException#isGone}, and the descriptor counts as readable, until {@link #attach} finds an
 * interface of the name again.
 */
public final class Tap extends Fd {
    /** Bytes of header in front of each frame; its last two are not the interface's. */
    public static final int HEADER_BYTES = 12;

    /** Bytes of the header without num_buffers: {@code struct virtio_net_hdr}. */
    public static final int SHORT_HEADER_BYTES = 10;

    /** Most characters of an interface's name. */
    public static final int LONGEST_NAME = Abi.IFNAMSIZ - 1;

    /** Offloads: the reader completes checksums. The others need this one. */
    public static final int CHECKSUM = Abi.TUN_F_CSUM;

    /** The reader takes TCP segments over IPv4 of up to 64 KiB. */
    public static final int TSO4 = Abi.TUN_F_TSO4;

    /** The reader takes TCP segments over IPv6 of up to 64 KiB. */
    public static final int TSO6 = Abi.TUN_F_TSO6;

    /** The reader takes such segments with congestion notification. */
    public static final int TSO_ECN = Abi.TUN_F_TSO_ECN;

    private final String interfaceName;
    private final boolean multiQueue;
    private boolean receiving = true;
    private int headerBytes = HEADER_BYTES;

    private Tap(int number, String interfaceName, boolean multiQueue) {
        super(number, "the tap '" + interfaceName + "'");
        this.interfaceName = interfaceName;
        this.multiQueue = multiQueue;
    }

    /** Whether this network name space has an interface of the name, of whatever kind. */
    public static boolean exists(String interfaceName) {
        ByteBuffer name = Host.string(interfaceName);
        int index = LIBC.if_nametoindex(Host.address(name));
        Reference.reachabilityFence(name);
        return index != 0;
    }

    /**
     * Whether the interface is up and somebody has a queue of it: only then it carries
     * (ETHTOOL_GLINK; the kernel's tun driver). Of one with several queues the kernel gives queues
     * to whoever asks, and spreads the frames over all. While it is down the kernel does not tell.
     */
    public static boolean isAttached(String interfaceName) {
        int socket = LIBC.socket(Abi.AF_UNIX, Abi.SOCK_STREAM | Abi.SOCK_CLOEXEC, 0);
        if (socket < 0) {
            return false;
        }
        try {
            ByteBuffer value = Host.buffer(Abi.ETHTOOL_VALUE_BYTES);
            value.putInt(Abi.ETHTOOL_VALUE_CMD, Abi.ETHTOOL_GLINK);
            ByteBuffer request = Host.buffer(Abi.IFREQ_BYTES);
            request.put(Abi.IFR_NAME, interfaceName.getBytes(StandardCharsets.US_ASCII));
            request.putLong(Abi.IFR_DATA, Host.address(value));
            int result = LIBC.ioctl(socket, Abi.SIOCETHTOOL, Host.address(request));
            Reference.reachabilityFence(request);
            return result == 0 && value.getInt(Abi.ETHTOOL_VALUE_DATA) != 0;
        } finally {
            LIBC.close(socket);
        }
    }

    /**
     * Opens a queue of an interface, and makes the interface where there is none: it is then gone
     * with its last queue, and needs the right to administer the network.
     *
     * @param interfaceName 1 to {@link #LONGEST_NAME} characters
     * @param multiQueue whether the interface has, or will have, several queues
     * @throws LinuxException {@link LinuxException#isPermission}; {@link LinuxException#isBusy},
     *     its queues are taken; {@link LinuxException#isInvalid}, it is no tap, or not one with
     *     that many queues; {@link LinuxException#isAbsent}, the kernel has no taps
     */
    public static Tap open(String interfaceName, boolean multiQueue) throws LinuxException {
        ByteBuffer path = Host.string("/dev/net/tun");
        int number = LIBC.open(Host.address(path), Abi.O_RDWR | Abi.O_NONBLOCK | Abi.O_CLOEXEC, 0);
        LinuxException failure = number < 0 ? LinuxException.last("open '/dev/net/tun'") : null;
        Reference.reachabilityFence(path);
        if (failure != null) {
            throw failure;
        }
        Tap tap = new Tap(number, interfaceName, multiQueue);
        try {
            tap.attach();
        } catch (LinuxException e) {
            tap.close();
            throw e;
        }
        return tap;
    }

    /** As {@link #open}, for a queue whose interface went and came back. */
    public synchronized void attach() throws LinuxException {
        ByteBuffer request = Host.buffer(Abi.IFREQ_BYTES);
        request.put(Abi.IFR_NAME, interfaceName.getBytes(StandardCharsets.US_ASCII));
        int flags = Abi.IFF_TAP | Abi.IFF_NO_PI | Abi.IFF_VNET_HDR;
        request.putShort(Abi.IFR_FLAGS, (short) (multiQueue ? flags | Abi.IFF_MULTI_QUEUE : flags));
        control("attach", Abi.TUNSETIFF, request);
        receiving = true;
        setHeader(headerBytes);
    }

    /**
     * Sets the length of the header in front of each frame of this queue; it is {@link
     * #HEADER_BYTES} at first. Nobody reads or writes meanwhile.
     *
     * @param bytes {@link #HEADER_BYTES} or {@link #SHORT_HEADER_BYTES}
     */
    public synchronized void setHeaderBytes(int bytes) throws LinuxException {
        if (bytes != HEADER_BYTES && bytes != SHORT_HEADER_BYTES) {
            throw new IllegalArgumentException("a header of %d bytes".formatted(bytes));
        }
        if (bytes != headerBytes) {
            headerBytes = bytes;
            setHeader(bytes);
        }
    }

    private void setHeader(int bytes) throws LinuxException {
        ByteBuffer size = Host.buffer(Integer.BYTES);
        size.putInt(0, bytes);
        control("set the header of", Abi.TUNSETVNETHDRSZ, size);
    }

    /**
     * Says what the reader of received frames takes; the interface gives it nothing else. For all
     * queues of the interface.
     *
     * @param offloads {@link #CHECKSUM}, {@link #TSO4}, {@link #TSO6}, {@link #TSO_ECN}
     */
    public void setOffloads(int offloads) throws LinuxException {
        control("set the offloads of", Abi.TUNSETOFFLOAD, offloads);
    }

    /**
     * Has the interface give frames to this queue or not, of one with several; it does at first.
     */
    public synchronized void setReceiving(boolean on) throws LinuxException {
        if (on == receiving) {
            return;
        }
        ByteBuffer request = Host.buffer(Abi.IFREQ_BYTES);
        request.putShort(Abi.IFR_FLAGS, (short) (on ? Abi.IFF_ATTACH_QUEUE : Abi.IFF_DETACH_QUEUE));
        control("switch a queue of", Abi.TUNSETQUEUE, request);
        receiving = on;
    }

    private void control(String what, int request, ByteBuffer argument) throws LinuxException {
        control(what, request, Host.address(argument));
        Reference.reachabilityFence(argument);
    }

    private void control(String what, int request, long argument) throws LinuxException {
        int fd = enter("ioctl");
        try {
            check(LIBC.ioctl(fd, request & 0xffff_ffffL, argument), what + " " + name());
        } finally {
            leave();
        }
    }
}
