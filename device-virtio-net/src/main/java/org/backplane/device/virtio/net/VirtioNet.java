package org.backplane.device.virtio.net;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.backplane.device.DeviceException;
import org.backplane.device.LinkDevice;
import org.backplane.device.context.DeviceContext;
import org.backplane.device.context.TimerLease;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.backplane.linux.LinuxException;
import org.backplane.virtio.SplitQueue;
import org.backplane.virtio.VirtioDevice;
import org.backplane.virtio.VirtioShape;
import org.backplane.virtio.VirtioWires;

/**
 * A network card (virtio 1.2, section 5.1): features, configuration, and who serves which queue.
 *
 * <p>Threads. Transmit and control queues have a worker each; frames come on the slot's worker for
 * events, buffers for them on the worker of their queue. A pair's {@link Receiver} and {@link
 * Transmitter} have a lock each. Everything here that they look at is volatile.
 */
final class VirtioNet implements VirtioDevice, LinkDevice, Backend.Listener {
    private static final Logger LOG = System.getLogger(VirtioNet.class.getName());

    /** Descriptors of every queue. */
    static final int QUEUE_SIZE = 256;

    /** How long a frame waits for buffers, in nanoseconds. */
    private static final long PATIENCE = 20_000_000;

    private final DeviceContext context;
    private final NetSettings settings;
    private final Backend backend;
    private final VirtioShape shape;
    private final List<Receiver> receivers = new ArrayList<>();
    private final List<Transmitter> transmitters = new ArrayList<>();
    private final ControlQueue control = new ControlQueue(this);
    private final AtomicLong lost = new AtomicLong();

    /** Made with the card, and not first when a guest waits for its state to be handed over. */
    private final SaveSupport saveSupport = new SaveSupport.Saveable(this::save, this::restore);

    /** Workers inside. */
    private final AtomicInteger busy = new AtomicInteger();

    private volatile VirtioWires wires = () -> {};
    private TimerLease continuation;
    private TimerLease patience;
    private boolean started;
    private boolean restored;

    private volatile boolean quiesced;
    private volatile boolean linkUp = true;
    private volatile boolean announce;
    private volatile long features;

    /** Length of the header in front of a frame; as of the last driver where there is none. */
    private volatile int headerBytes = NetWire.HEADER_BYTES;

    private volatile RxFilter filter;

    // Of the control queue's worker, or of the control thread while that is not in.
    private volatile long offloadsOff;
    private volatile int pairs = 1;

    /** By index, null where there is none. */
    private volatile List<SplitQueue> queues = List.of();

    VirtioNet(DeviceContext context, NetSettings settings, Backend backend) throws DeviceException {
        this.context = context;
        this.settings = settings;
        this.backend = backend;
        filter = RxFilter.initial(settings.mac());
        int channels = backend.channels();
        try {
            for (int i = 0; i < settings.queues(); i++) {
                Backend.Channel channel = backend.channel(i % channels);
                receivers.add(new Receiver(this, backend, i < channels ? channel : null));
                transmitters.add(new Transmitter(this, backend, channel));
            }
        } catch (LinuxException e) {
            close();
            throw NetSettings.refused(context.slot(), "%s", e.getMessage());
        }
        shape =
                new VirtioShape(
                        NetWire.DEVICE_ID,
                        NetWire.CLASS_CODE,
                        offered(),
                        Collections.nCopies(2 * settings.queues() + 1, QUEUE_SIZE),
                        NetWire.CONFIG_BYTES,
                        settings.transitional());
    }

    private long offered() {
        long offered =
                NetWire.F_MAC
                        | NetWire.F_MRG_RXBUF
                        | NetWire.F_STATUS
                        | NetWire.F_CTRL_VQ
                        | NetWire.F_CTRL_RX
                        | NetWire.F_CTRL_RX_EXTRA
                        | NetWire.F_CTRL_VLAN
                        | NetWire.F_CTRL_MAC_ADDR
                        | NetWire.F_GUEST_ANNOUNCE
                        | backend.offloads();
        if ((offered & NetWire.GUEST_OFFLOADS) != 0) {
            offered |= NetWire.F_CTRL_GUEST_OFFLOADS;
        }
        if (settings.queues() > 1) {
            offered |= NetWire.F_MQ;
        }
        return settings.mtu().isPresent() ? offered | NetWire.F_MTU : offered;
    }

    @Override
    public VirtioShape shape() {
        return shape;
    }

    @Override
    public void wired(VirtioWires given) {
        wires = given;
    }

    @Override
    public long readConfig(int offset, int width) {
        long value = 0;
        for (int i = width - 1; i >= 0; i--) {
            value = value << 8 | config(offset + i) & 0xff;
        }
        return value;
    }

    /** A byte of struct virtio_net_config, section 5.1.4. */
    private int config(int at) {
        if (at < NetWire.CONFIG_STATUS) {
            return filter.mac().octet(at - NetWire.CONFIG_MAC);
        }
        int status = (linkUp ? NetWire.S_LINK_UP : 0) | (announce ? NetWire.S_ANNOUNCE : 0);
        return switch (at & ~1) {
                    case NetWire.CONFIG_STATUS -> status;
                    case NetWire.CONFIG_MAX_PAIRS -> settings.queues();
                    case NetWire.CONFIG_MTU -> settings.mtu().orElse(0);
                    default -> 0;
                }
                >>> 8 * (at & 1);
    }

    @Override
    public void writeConfig(int offset, int width, long value) {
        if (settings.transitional()
                && !negotiated(NetWire.F_VERSION_1)
                && offset + width <= NetWire.CONFIG_STATUS) {
            setMac(offset, width, value);
        } else {
            // Section 5.1.4: read-only, the address too since VERSION_1.
            guestMistook("a write of %d bytes to the configuration at %d", width, offset);
        }
    }

    /** Section 5.1.4.1: a legacy driver sets the address here, a byte at a time. */
    private void setMac(int offset, int width, long value) {
        byte[] octets = new byte[NetWire.MAC_BYTES];
        for (int i = 0; i < octets.length; i++) {
            boolean written = i >= offset && i < offset + width;
            octets[i] = (byte) (written ? value >>> 8 * (i - offset) : filter.mac().octet(i));
        }
        MacAddress mac = MacAddress.read(octets, 0);
        if (mac.isStation()) {
            filter = filter.withMac(mac);
        } else {
            guestMistook("an address of its own that is no station's");
        }
    }

    @Override
    public void link(boolean up) {
        linkUp = up;
        if (started) {
            wires.configurationChanged();
            // What has come to a link that is down is not for later.
            receivers.forEach(receiver -> receiver.listen(true));
        }
    }

    @Override
    public void start() throws DeviceException {
        continuation = context.timer(() -> inside(this::goOn));
        patience = context.timer(() -> inside(this::giveUp));
        backend.start(this);
        started = true;
    }

    @Override
    public void activate(long negotiated, List<SplitQueue> active) {
        features = negotiated;
        boolean legacy = settings.transitional() && !negotiated(NetWire.F_VERSION_1);
        headerBytes =
                legacy && !negotiated(NetWire.F_MRG_RXBUF)
                        ? NetWire.LEGACY_HEADER_BYTES
                        : NetWire.HEADER_BYTES;
        backend.setHeaderBytes(headerBytes);
        boolean several = negotiated(NetWire.F_MQ);
        for (int i = 0; i < receivers.size(); i++) {
            boolean used = i == 0 || several;
            receivers.get(i).connect(used ? active.get(2 * i) : null);
            transmitters.get(i).connect(used ? active.get(2 * i + 1) : null);
        }
        queues = Collections.unmodifiableList(new ArrayList<>(active));
        settleOffloads();
        backend.setPairs(pairs);
        if (restored && backend.fresh() && negotiated(NetWire.F_GUEST_ANNOUNCE)) {
            // Section 5.1.6.5.4: those on the network have to learn where the guest is now.
            announce = true;
        }
        restored = false;
        if (announce) {
            wires.configurationChanged();
        }
    }

    @Override
    public void work(int index) {
        inside(() -> serve(index));
    }

    /** Counts the worker in: {@link #idle} sees it, or it sees that the card is quiesced. */
    private void inside(Runnable work) {
        busy.incrementAndGet();
        try {
            work.run();
        } finally {
            busy.decrementAndGet();
        }
    }

    private void serve(int index) {
        List<SplitQueue> active = queues;
        SplitQueue queue = index < active.size() ? active.get(index) : null;
        if (queue == null) {
            return;
        }
        // Section 5.1.2: the control queue follows the pairs that the driver knows of.
        int known = negotiated(NetWire.F_MQ) ? settings.queues() : 1;
        if (index == 2 * known) {
            control.work(queue);
        } else if (index < 2 * known) {
            if (index % 2 == 0) {
                receivers.get(index / 2).work();
            } else {
                transmitters.get(index / 2).work();
            }
        }
    }

    @Override
    public void readable(int channel) {
        inside(receivers.get(channel)::work);
    }

    @Override
    public void writable(int channel) {
        inside(
                () ->
                        transmitters.stream()
                                .filter(each -> each.sendsTo(backend.channel(channel)))
                                .forEach(Transmitter::work));
    }

    /**
     * Has a worker go on where this one leaves: a driver that never rests gets no thread for it.
     */
    void goOnLater() {
        continuation.arm(context.guestTime());
    }

    private void goOn() {
        transmitters.forEach(Transmitter::work);
    }

    /** A frame waits for buffers, and is lost if none come. */
    void awaitBuffers() {
        patience.arm(context.guestTime() + PATIENCE);
    }

    private void giveUp() {
        if (running()) {
            receivers.forEach(Receiver::giveUp);
        }
    }

    @Override
    public void quiesce() {
        quiesced = true;
    }

    @Override
    public boolean idle() {
        return busy.get() == 0;
    }

    @Override
    public void resume() {
        quiesced = false;
        receivers.forEach(receiver -> receiver.listen(true));
    }

    @Override
    public void reset() {
        queues = List.of();
        receivers.forEach(receiver -> receiver.connect(null));
        transmitters.forEach(transmitter -> transmitter.connect(null));
        features = 0;
        announce = false;
        filter = RxFilter.initial(settings.mac());
        offloadsOff = 0;
        pairs = 1;
        restored = false;
        settleOffloads();
        backend.setPairs(settings.queues());
        quiesced = false;
    }

    @Override
    public SaveSupport saveSupport() {
        return saveSupport;
    }

    private SavedState save() {
        return new NetState(filter, pairs, offloadsOff, announce).saved();
    }

    private void restore(SavedState saved) throws DeviceException {
        NetState state = NetState.of(saved, settings.mac(), settings.queues());
        filter = state.filter();
        pairs = state.pairs();
        offloadsOff = state.offloadsOff();
        announce = state.announce();
        restored = true;
    }

    @Override
    public void close() {
        queues = List.of();
        backend.close();
        receivers.forEach(Receiver::close);
    }

    boolean running() {
        return !quiesced;
    }

    boolean linkUp() {
        return linkUp;
    }

    boolean negotiated(long feature) {
        return (features & feature) != 0;
    }

    /** Bytes in front of a frame in the driver's buffers. */
    int headerBytes() {
        return headerBytes;
    }

    RxFilter filter() {
        return filter;
    }

    void filter(RxFilter other) {
        filter = other;
    }

    boolean admits(byte[] head) {
        return filter.admits(head, negotiated(NetWire.F_CTRL_VLAN));
    }

    /** The driver has announced itself. */
    boolean announced() {
        announce = false;
        return true;
    }

    boolean setPairs(int wanted) {
        if (wanted < 1 || wanted > settings.queues()) {
            return false;
        }
        pairs = wanted;
        backend.setPairs(wanted);
        return true;
    }

    boolean setOffloads(long wanted) {
        long able = features & NetWire.GUEST_OFFLOADS;
        if ((wanted & ~able) != 0) {
            return false;
        }
        offloadsOff = able & ~wanted;
        settleOffloads();
        return true;
    }

    private void settleOffloads() {
        backend.setGuestOffloads(features & NetWire.GUEST_OFFLOADS & ~offloadsOff);
    }

    void guestMistook(String format, Object... values) {
        wires.guestMistook(format, values);
    }

    /** A frame is lost though the network had brought it. */
    void lost(String format, Object... values) {
        long count = lost.incrementAndGet();
        if (Long.bitCount(count) == 1) {
            LOG.log(
                    Level.DEBUG,
                    () ->
                            "%s: lost %s (%d so far)"
                                    .formatted(context.slot(), format.formatted(values), count));
        }
    }
}
