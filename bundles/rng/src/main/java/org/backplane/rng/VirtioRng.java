package org.backplane.rng;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import org.backplane.device.DeviceException;
import org.backplane.device.GuestErrors;
import org.backplane.device.context.DeviceContext;
import org.backplane.device.context.TimerLease;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.backplane.linux.Fd;
import org.backplane.linux.LinuxException;
import org.backplane.virtio.DescriptorChain;
import org.backplane.virtio.SplitQueue;
import org.backplane.virtio.VirtioDevice;
import org.backplane.virtio.VirtioShape;

/**
 * An entropy device (virtio 1.2, section 5.4): one queue of buffers that it fills.
 *
 * <p>A request stays in the ring until the rate permits an answer, so none is ever out between two
 * calls; a timer comes back for those that wait.
 */
final class VirtioRng implements VirtioDevice {
    private static final int DEVICE_ID = 4;

    /** Unclassified, other: as QEMU shows it. */
    private static final int CLASS_CODE = 0x00ff00;

    private static final int QUEUE_SIZE = 64;
    private static final long SECOND = 1_000_000_000;

    /** Most bytes of one answer, which bounds the time of a worker inside: a host's page. */
    private static final int MOST = 1 << 12;

    /** Bytes: a limited guest waits for these rather than for single ones. */
    private static final int LEAST = 64;

    private static final Logger LOG = System.getLogger(VirtioRng.class.getName());

    private final SaveSupport saveSupport = new SaveSupport.Saveable(this::save, this::restore);
    private final DeviceContext context;
    private final VirtioShape shape;
    private final long rate;
    private final long least;
    private final Fd source;
    private final GuestErrors mistakes;
    private final TimerLease timer;

    // Under this object's lock: the queue's worker and the timer's both serve.

    private boolean quiesced;

    /** Null while the driver has none. */
    private SplitQueue queue;

    /** Bytes that the guest may have at once; at most those of a second. */
    private long allowance;

    /** Guest time, in nanoseconds, up to which {@link #allowance} is counted. */
    private long counted;

    private long faults;

    VirtioRng(DeviceContext context, RngSettings settings, Fd source) {
        this.context = context;
        shape =
                new VirtioShape(
                        DEVICE_ID, CLASS_CODE, 0, List.of(QUEUE_SIZE), 0, settings.transitional());
        this.source = source;
        rate = settings.rate();
        least = Math.min(rate, LEAST);
        allowance = rate;
        counted = context.guestTime();
        mistakes = new GuestErrors(context.slot());
        timer = context.timer(this::serve);
    }

    @Override
    public VirtioShape shape() {
        return shape;
    }

    @Override
    public long readConfig(int offset, int width) {
        mistakes.add("a read of configuration that is not there, at %d", offset);
        return -1;
    }

    @Override
    public void writeConfig(int offset, int width, long value) {
        mistakes.add("a write to configuration that is not there, at %d", offset);
    }

    @Override
    public void start() {
        // The slot has opened the source; nothing is read before the driver asks.
    }

    @Override
    public synchronized void activate(long features, List<SplitQueue> queues) {
        queue = queues.get(0);
    }

    @Override
    public void work(int index) {
        serve();
    }

    private synchronized void serve() {
        if (queue == null) {
            return;
        }
        boolean answered = false;
        while (!quiesced) {
            int granted = granted();
            if (granted == 0) {
                timer.arm(counted + least * SECOND / rate);
                break;
            }
            DescriptorChain chain = queue.poll();
            if (chain == null) {
                break;
            }
            answer(chain, granted);
            answered = true;
        }
        if (answered) {
            queue.interrupt();
        }
    }

    private void answer(DescriptorChain chain, int granted) {
        if (chain.writableLength() == 0) {
            // Section 5.4.6.1: the driver places no such buffer.
            mistakes.add("a request without room for a byte");
        }
        int given = 0;
        try {
            given = read(chain, granted);
        } catch (LinuxException e) {
            // The driver is told of no byte, and asks again.
            if (Long.bitCount(++faults) == 1) {
                LOG.log(
                        Level.WARNING,
                        "{0}: {1} (fault {2})",
                        context.slot(),
                        e.getMessage(),
                        faults);
            }
        }
        if (rate > 0) {
            allowance -= given;
        }
        queue.complete(chain, given);
    }

    /** Fills the chain from its start; fewer bytes than there is room for are an answer too. */
    private int read(DescriptorChain chain, int granted) throws LinuxException {
        int given = 0;
        for (int i = chain.readableSegments(); i < chain.segments() && given < granted; i++) {
            int wanted = Math.min(chain.length(i), granted - given);
            long count = source.read(chain.address(i), wanted);
            given += (int) count;
            if (count < wanted) {
                break;
            }
        }
        return given;
    }

    /** Bytes that the next request may have; 0 if it has to wait. */
    private int granted() {
        if (rate == 0) {
            return MOST;
        }
        earn();
        return allowance < least ? 0 : (int) Math.min(allowance, MOST);
    }

    /** Adds what time has brought, and keeps the time that is not a whole byte yet. */
    private void earn() {
        long now = context.guestTime();
        long earned = earnedBy(now);
        allowance += earned;
        counted = allowance == rate ? now : counted + earned * SECOND / rate;
    }

    private long earnedBy(long now) {
        return Math.min(rate - allowance, Math.min(now - counted, SECOND) * rate / SECOND);
    }

    @Override
    public synchronized void quiesce() {
        quiesced = true;
    }

    @Override
    public boolean idle() {
        return true;
    }

    @Override
    public synchronized void resume() {
        quiesced = false;
    }

    @Override
    public synchronized void reset() {
        // What it had stays counted: a guest gets no more by resetting the device.
        queue = null;
        quiesced = false;
        timer.disarm();
    }

    @Override
    public SaveSupport saveSupport() {
        return saveSupport;
    }

    private synchronized SavedState save() {
        long now = rate == 0 ? 0 : allowance + earnedBy(context.guestTime());
        return new RngState(now).saved();
    }

    private synchronized void restore(SavedState saved) throws DeviceException {
        allowance = RngState.of(saved, rate).allowance();
        counted = context.guestTime();
    }

    @Override
    public synchronized void close() {
        queue = null;
    }
}
