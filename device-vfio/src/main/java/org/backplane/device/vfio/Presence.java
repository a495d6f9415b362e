package org.backplane.device.vfio;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.atomic.AtomicLong;
import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext;
import org.backplane.device.context.TimerLease;
import org.backplane.device.context.Watch;
import org.backplane.vfio.VfioDevice;
import org.backplane.vfio.VfioException;

/**
 * Whether the device's other end is there. One that can go, a process behind a socket, is watched;
 * once it is gone it is looked for again each second of guest time, until it is back. Another
 * device in its place, or a server that cannot be used, is told once and let go each time.
 */
final class Presence {
    private static final Logger LOG = System.getLogger(Presence.class.getName());
    private static final long RETRY_NANOS = 1_000_000_000;

    private final DeviceContext context;
    private final VfioDevice device;
    private final Runnable lost;
    private final Recognition known;
    private final Return found;
    private final AtomicLong failures = new AtomicLong();
    private volatile boolean there = true;

    /** What was told last of who is there instead; null if nothing was since it went. */
    private String told;

    private Watch watch;
    private TimerLease timer;

    /** A look at who is there. */
    @FunctionalInterface
    interface Recognition {
        /**
         * @throws DeviceException it is not the device that it was, or cannot be read
         */
        void run() throws DeviceException;
    }

    /** What is to be done when the device is back. */
    @FunctionalInterface
    interface Return {
        /**
         * @throws VfioException it is gone again
         */
        void run() throws VfioException;
    }

    /**
     * @param known looks whether it is the device that it was, before the guest reaches it
     * @param found follows that, while the guest reaches it
     */
    Presence(
            DeviceContext context,
            VfioDevice device,
            Runnable lost,
            Recognition known,
            Return found) {
        this.context = context;
        this.device = device;
        this.lost = lost;
        this.known = known;
        this.found = found;
    }

    boolean there() {
        return there;
    }

    synchronized void start() {
        if (device.readiness().isPresent()) {
            timer = context.timer(this::lookForIt);
            watch();
        }
    }

    private void watch() {
        device.readiness().ifPresent(end -> watch = context.onReadable(end, this::attend));
    }

    private synchronized void attend() {
        if (!there || device.attend()) {
            return;
        }
        there = false;
        told = null;
        String why = device.absence().map(clause -> clause + "; ").orElse("");
        tell("gone", why + "its registers read as all ones until it is back");
        leave();
    }

    /** An access came to nothing: the guest reads all ones. */
    void failed(VfioException failure) {
        long now = failures.incrementAndGet();
        if (Long.bitCount(now) == 1) {
            LOG.log(
                    Level.DEBUG,
                    "{0}: access {1} that failed: {2}",
                    context.slot(),
                    now,
                    failure.getMessage());
        }
        look();
    }

    /** Something failed that may have failed because nobody is there. */
    void look() {
        if (device.readiness().isPresent()) {
            attend();
        }
    }

    /** Nobody who is there keeps the guest's memory while it is not the device. */
    private void leave() {
        device.disconnect();
        if (watch != null) {
            watch.close();
            watch = null;
        }
        lost.run();
        timer.arm(context.guestTime() + RETRY_NANOS);
    }

    private synchronized void lookForIt() {
        if (there) {
            return;
        }
        try {
            device.reconnect();
            known.run();
            // Before what is done next: a guest's access that comes between is not lost.
            there = true;
            found.run();
            watch();
            tell("back", "its interrupts and DMA maps are made again");
        } catch (VfioException stillGone) {
            there = false;
            if (stillGone.isAbsent()) {
                LOG.log(Level.DEBUG, "{0}: {1}", context.slot(), stillGone.getMessage());
            } else {
                tellOnce("not usable", stillGone.getMessage());
            }
            leave();
        } catch (DeviceException unlike) {
            tellOnce(device.attend() ? "not the same" : "not usable", unlike.getMessage());
            leave();
        }
    }

    /** Each second there may be the same to tell. */
    private void tellOnce(String what, String detail) {
        if (!detail.equals(told)) {
            told = detail;
            tell(what, detail);
        }
    }

    private void tell(String what, String detail) {
        LOG.log(
                Level.WARNING,
                () -> "%s: %s is %s: %s".formatted(context.slot(), device.name(), what, detail));
        context.tell(what, "%s: %s".formatted(device.name(), detail));
    }
}
