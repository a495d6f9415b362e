package org.backplane.device.virtio.blk;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.backplane.virtio.SplitQueue;
import org.backplane.virtio.VirtioDevice;
import org.backplane.virtio.VirtioShape;

/**
 * A disk (virtio 1.2, section 5.2). Requests are carried out on their queue's worker, through the
 * host's page cache: a device has no threads, and reading there is faster than any detour.
 *
 * <p>Cache mode (section 5.2.5): {@code writeback} counts only where the driver negotiated
 * VIRTIO_BLK_F_FLUSH. A driver without it cannot flush, so every write is on the device before it
 * completes.
 */
final class VirtioBlk implements VirtioDevice {
    private final BlkSettings settings;
    private final Image image;
    private final BlkConfig config;
    private final VirtioShape shape;
    private final List<BlkQueue> requests = new ArrayList<>();

    /** Made with the disk, and not first when a guest waits for its state to be handed over. */
    private final SaveSupport saveSupport = new SaveSupport.Saveable(this::save, this::restore);

    private final Complaints mistakes;
    private final Complaints faults;

    /** Workers inside {@link #work}. */
    private final AtomicInteger busy = new AtomicInteger();

    private volatile boolean quiesced;
    private volatile boolean writeback = true;
    private volatile long features;

    /** By index, null where there is none. */
    private volatile List<SplitQueue> queues = List.of();

    VirtioBlk(String slot, BlkSettings settings, Image image) {
        this.settings = settings;
        this.image = image;
        config = new BlkConfig(settings, image);
        mistakes = new Complaints(slot, Level.DEBUG);
        faults = new Complaints(slot, Level.WARNING);
        for (int i = 0; i < settings.queues(); i++) {
            requests.add(new BlkQueue(this, image, settings.serial()));
        }
        shape =
                new VirtioShape(
                        BlkWire.DEVICE_ID,
                        BlkWire.CLASS_CODE,
                        offered(settings),
                        Collections.nCopies(settings.queues(), BlkConfig.QUEUE_SIZE),
                        BlkWire.CONFIG_BYTES,
                        settings.transitional());
    }

    private static long offered(BlkSettings settings) {
        long features =
                BlkWire.F_SEG_MAX | BlkWire.F_BLK_SIZE | BlkWire.F_FLUSH | BlkWire.F_TOPOLOGY;
        if (settings.queues() > 1) {
            features |= BlkWire.F_MQ;
        }
        if (settings.readOnly()) {
            return features | BlkWire.F_RO;
        }
        features |= BlkWire.F_CONFIG_WCE | BlkWire.F_WRITE_ZEROES;
        return settings.discard() ? features | BlkWire.F_DISCARD : features;
    }

    @Override
    public VirtioShape shape() {
        return shape;
    }

    @Override
    public long readConfig(int offset, int width) {
        return config.read(offset, width, writeback);
    }

    @Override
    public void writeConfig(int offset, int width, long value) {
        // Section 5.2.4: the one field that a driver writes, and it is a byte.
        if (offset == BlkWire.CONFIG_WRITEBACK && width == 1 && !readOnly()) {
            writeback = (value & 1) != 0;
        } else {
            guestMistook("a write of %d bytes to the configuration at %d", width, offset);
        }
    }

    @Override
    public void start() {
        // The image was opened by the slot; nothing more is to be begun.
    }

    @Override
    public void activate(long negotiated, List<SplitQueue> active) {
        features = negotiated;
        if ((negotiated & BlkWire.F_FLUSH) == 0) {
            // Section 5.2.5.2: a driver that cannot flush begins with a write-through cache.
            writeback = false;
        }
        queues = Collections.unmodifiableList(new ArrayList<>(active));
    }

    @Override
    public void work(int index) {
        busy.incrementAndGet();
        try {
            List<SplitQueue> active = queues;
            SplitQueue queue = index < active.size() ? active.get(index) : null;
            if (queue != null) {
                requests.get(index).serve(queue);
            }
        } finally {
            busy.decrementAndGet();
        }
    }

    @Override
    public void quiesce() {
        // A worker counts itself in before it looks: either it sees this, or idle() sees the
        // worker.
        quiesced = true;
    }

    @Override
    public boolean idle() {
        return busy.get() == 0;
    }

    @Override
    public void resume() {
        quiesced = false;
    }

    @Override
    public void reset() {
        queues = List.of();
        features = 0;
        writeback = true;
        quiesced = false;
    }

    @Override
    public SaveSupport saveSupport() {
        return saveSupport;
    }

    private SavedState save() {
        return new BlkState(config.capacity(), writeback).saved();
    }

    private void restore(SavedState saved) throws DeviceException {
        writeback = BlkState.of(saved, config.capacity()).writeback();
    }

    @Override
    public void close() {
        queues = List.of();
        image.close();
    }

    boolean quiesced() {
        return quiesced;
    }

    boolean readOnly() {
        return settings.readOnly();
    }

    boolean givesBack() {
        return settings.discard();
    }

    boolean negotiated(long feature) {
        return (features & feature) != 0;
    }

    /** Whether a write must be on the device before it completes (section 5.2.6.2). */
    boolean writesThrough() {
        return !writeback || !negotiated(BlkWire.F_FLUSH);
    }

    void hostFailed(IOException fault) {
        faults.add(fault::getMessage);
    }

    void guestMistook(String format, Object... values) {
        mistakes.add(() -> format.formatted(values));
    }
}
