package org.backplane.device.virtio.net;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext;
import org.backplane.device.context.TimerLease;
import org.backplane.device.context.Watch;
import org.backplane.linux.IoVec;
import org.backplane.linux.LinuxException;
import org.backplane.linux.Tap;

/**
 * A tap interface of the host, a queue of it for each pair. The slot keeps the queues. Frames go
 * between the guest's memory and the kernel without a copy, checksums and segmentation undone.
 *
 * <p>An interface that is removed loses frames; one that comes back under its name is taken up
 * again.
 */
final class TapBackend implements Backend {
    private static final Logger LOG = System.getLogger(TapBackend.class.getName());
    private static final long RETRY_NANOS = 500_000_000;

    private final DeviceContext context;
    private final String name;
    private final List<TapQueue> queues = new ArrayList<>();

    /** Frames that the interface refused, for reasons of the host. */
    private final AtomicLong refused = new AtomicLong();

    private boolean fresh;
    private TimerLease retry;

    // Guarded by this.
    private int offloads;

    /** 0 until that is told: the device before this one may yet go on with the queues. */
    private int headerBytes;

    /**
     * Queues that receive, 0 until that is told: a queue that is switched on between two devices
     * gets frames, and loses them when it is switched off.
     */
    private int pairs;

    private boolean gone;
    private String obstacle = "";

    /** Read without the lock by whoever sends. */
    private volatile boolean down;

    TapBackend(DeviceContext context, NetSettings settings) throws DeviceException {
        this.context = context;
        name = settings.interfaceName(context.slot());
        boolean several = settings.queues() > 1;
        for (int i = 0; i < settings.queues(); i++) {
            boolean first = i == 0;
            Tap tap = context.kept("tap" + i, Tap.class, () -> open(several, first));
            queues.add(new TapQueue(i, tap));
        }
    }

    private Tap open(boolean several, boolean first) throws DeviceException {
        boolean there = Tap.exists(name);
        fresh = true;
        if (first && there && Tap.isAttached(name)) {
            throw inUse(null);
        }
        try {
            return Tap.open(name, several);
        } catch (LinuxException e) {
            if (e.isInvalid() && there && !several) {
                return openOneOfSeveral(e);
            }
            throw unusable(several, there, e);
        }
    }

    /** An interface made for several queues has to be told so by those who want one, too. */
    private Tap openOneOfSeveral(LinuxException first) throws DeviceException {
        try {
            return Tap.open(name, true);
        } catch (LinuxException e) {
            throw unusable(false, true, e.isInvalid() ? first : e);
        }
    }

    private DeviceException inUse(LinuxException cause) {
        return new DeviceException(
                "Slot '%s': if=%s cannot be used: another program or slot uses it; stop that one, or give another interface."
                        .formatted(context.slot(), name),
                cause);
    }

    private DeviceException unusable(boolean several, boolean there, LinuxException cause) {
        String mode = several ? " multi_queue" : "";
        String remedy;
        if (cause.isAbsent()) {
            remedy = "this kernel has no taps; load them with: modprobe tun";
        } else if (cause.isPermission()) {
            remedy =
                    there
                            ? "it belongs to somebody else; run Backplane as root, or have it made for you: ip tuntap add dev %s mode tap%s user $USER"
                                    .formatted(name, mode)
                            : "there is no such interface, and you may not make one; have it made: ip tuntap add dev %s mode tap%s user $USER"
                                    .formatted(name, mode);
        } else if (cause.isBusy()) {
            return inUse(cause);
        } else if (cause.isInvalid()) {
            remedy =
                    several
                            ? "it is no tap, or was made for one queue; make it with: ip tuntap add dev %s mode tap multi_queue, or give queues=1"
                                    .formatted(name)
                            : "it is no tap; make one with: ip tuntap add dev %s mode tap"
                                    .formatted(name);
        } else {
            remedy = "the kernel does not say more";
        }
        return new DeviceException(
                "Slot '%s': if=%s cannot be used: %s (%s)."
                        .formatted(context.slot(), name, remedy, cause.getMessage()),
                cause);
    }

    @Override
    public boolean headers() {
        return true;
    }

    @Override
    public long offloads() {
        return NetWire.GUEST_OFFLOADS | NetWire.HOST_OFFLOADS;
    }

    @Override
    public int channels() {
        return queues.size();
    }

    @Override
    public Channel channel(int index) {
        return queues.get(index);
    }

    @Override
    public boolean fresh() {
        return fresh;
    }

    @Override
    public void start(Listener listener) {
        retry = context.timer(this::tryAgain);
        queues.forEach(queue -> queue.watch(listener));
        settle();
    }

    @Override
    public synchronized void setGuestOffloads(long features) {
        offloads = 0;
        if ((features & NetWire.F_GUEST_CSUM) != 0) {
            offloads |= Tap.CHECKSUM;
            offloads |= (features & NetWire.F_GUEST_TSO4) != 0 ? Tap.TSO4 : 0;
            offloads |= (features & NetWire.F_GUEST_TSO6) != 0 ? Tap.TSO6 : 0;
            boolean segments = (offloads & (Tap.TSO4 | Tap.TSO6)) != 0;
            offloads |= segments && (features & NetWire.F_GUEST_ECN) != 0 ? Tap.TSO_ECN : 0;
        }
        settle();
    }

    @Override
    public synchronized void setHeaderBytes(int bytes) {
        headerBytes = bytes;
        settle();
    }

    @Override
    public synchronized void setPairs(int wanted) {
        pairs = wanted;
        settle();
    }

    /** Brings the interface to what is wanted of it. */
    private synchronized void settle() {
        if (gone) {
            return;
        }
        try {
            for (TapQueue queue : queues) {
                if (headerBytes > 0) {
                    queue.tap.setHeaderBytes(headerBytes);
                }
                if (pairs > 0) {
                    queue.tap.setReceiving(queue.index < pairs);
                }
            }
            queues.get(0).tap.setOffloads(offloads);
        } catch (LinuxException e) {
            trouble(e);
        }
    }

    /** The interface does not work: no frame comes or goes until it does again. */
    private synchronized void trouble(LinuxException cause) {
        if (!gone) {
            gone = true;
            LOG.log(
                    Level.WARNING,
                    () ->
                            "%s: the interface %s is gone, frames are lost until it is back: %s"
                                    .formatted(context.slot(), name, cause.getMessage()));
            queues.forEach(TapQueue::follow);
        }
        retry.arm(context.guestTime() + RETRY_NANOS);
    }

    private synchronized void tryAgain() {
        if (!gone) {
            return;
        }
        retry.arm(context.guestTime() + RETRY_NANOS);
        // To attach would make an interface that somebody has removed.
        if (!Tap.exists(name)) {
            return;
        }
        try {
            for (TapQueue queue : queues) {
                queue.tap.attach();
            }
        } catch (LinuxException e) {
            if (!obstacle.equals(e.getMessage())) {
                obstacle = e.getMessage();
                LOG.log(
                        Level.WARNING,
                        () ->
                                "%s: the interface %s is back and cannot be used: %s"
                                        .formatted(context.slot(), name, e.getMessage()));
            }
            return;
        }
        gone = false;
        obstacle = "";
        settle();
        if (!gone) {
            retry.disarm();
            LOG.log(
                    Level.INFO,
                    () -> "%s: the interface %s is back".formatted(context.slot(), name));
            queues.forEach(TapQueue::follow);
        }
    }

    /** A frame was not taken: the interface is gone or down, or the host has no room. */
    private void sendFailed(LinuxException cause) {
        if (cause.isGone()) {
            trouble(cause);
        } else if (cause.isInputOutput()) {
            if (!down) {
                down = true;
                LOG.log(
                        Level.WARNING,
                        () ->
                                "%s: the interface %s is down, frames are lost; take it up with: ip link set %s up"
                                        .formatted(context.slot(), name, name));
            }
        } else {
            // Also what a guest may write into a header, so not a line for each.
            long count = refused.incrementAndGet();
            if (Long.bitCount(count) == 1) {
                LOG.log(
                        Level.DEBUG,
                        () ->
                                "%s: a frame is lost, %d so far: %s"
                                        .formatted(context.slot(), count, cause.getMessage()));
            }
        }
    }

    private void sent() {
        if (down) {
            down = false;
            LOG.log(Level.INFO, () -> "%s: the interface %s is up".formatted(context.slot(), name));
        }
    }

    @Override
    public void close() {
        // The queues are the slot's; timer and watches are leases.
    }

    /** One queue of the interface. */
    private final class TapQueue implements Channel {
        private final int index;
        private final Tap tap;
        private Watch reading;
        private Watch writing;

        /** Guarded by the backend. */
        private boolean listening = true;

        TapQueue(int index, Tap tap) {
            this.index = index;
            this.tap = tap;
        }

        void watch(Listener listener) {
            reading = context.onReadable(tap, () -> listener.readable(index));
            writing =
                    context.onWritable(
                            tap,
                            () -> {
                                writing.suspend();
                                listener.writable(index);
                            });
        }

        @Override
        public Sent send(IoVec frame) {
            try {
                if (tap.writev(frame) < 0) {
                    writing.resume();
                    return Sent.FULL;
                }
                sent();
                return Sent.SENT;
            } catch (LinuxException e) {
                sendFailed(e);
                return Sent.LOST;
            }
        }

        @Override
        public int receive(IoVec into) {
            try {
                long bytes = tap.readv(into);
                return bytes < 0 ? NOTHING : (int) bytes;
            } catch (LinuxException e) {
                trouble(e);
                return NOTHING;
            }
        }

        @Override
        public void listen(boolean on) {
            synchronized (TapBackend.this) {
                listening = on;
                follow();
            }
        }

        /** An interface that is gone counts as readable for ever. */
        private void follow() {
            if (listening && !gone) {
                reading.resume();
            } else {
                reading.suspend();
            }
        }
    }
}
