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
 * once it is gone it is looked for again each second of guest time, until it is back.
 */
final class Presence {
    private static final Logger LOG = System.getLogger(Presence.class.getName());
    private static final long RETRY_NANOS = 1_000_000_000;

    private final DeviceContext context;
    private final VfioDevice device;
    private final Runnable lost;
    private final Return found;
    private final AtomicLong failures = new AtomicLong();
    private volatile boolean there = true;
    private Watch watch;
    private TimerLease timer;

    /** What is to be done when the device is back. */
    @FunctionalInterface
    interface Return {
        /**
         * @throws DeviceException it is not the device that it was; it will not be looked for again
         * @throws VfioException it is gone again
         */
        void run() throws DeviceException, VfioException;
    }

    Presence(DeviceContext context, VfioDevice device, Runnable lost, Return found) {
        this.context = context;
        this.device = device;
        this.lost = lost;
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
        if (there && !device.attend()) {
            there = false;
            tell("gone", "its registers read as all ones until it is back");
            leave();
        }
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

    private void leave() {
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
            // Before what is done next: a guest's access that comes between is not lost.
            there = true;
            found.run();
            watch();
            tell("back", "its interrupts and DMA maps are made again");
        } catch (VfioException stillGone) {
            there = false;
            LOG.log(Level.DEBUG, "{0}: {1}", context.slot(), stillGone.getMessage());
            leave();
        } catch (DeviceException other) {
            there = false;
            leave();
            timer.disarm();
            tell("not the same", other.getMessage());
        }
    }

    private void tell(String what, String detail) {
        LOG.log(
                Level.WARNING,
                () -> "%s: %s is %s: %s".formatted(context.slot(), device.name(), what, detail));
        context.tell(what, "%s: %s".formatted(device.name(), detail));
    }
}
