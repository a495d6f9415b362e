package org.backplane.itests.card;

import java.util.ArrayList;
import java.util.List;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.backplane.memory.OffHeap;
import org.backplane.virtio.DescriptorChain;
import org.backplane.virtio.SplitQueue;
import org.backplane.virtio.VirtioDevice;
import org.backplane.virtio.VirtioShape;

/**
 * A virtio device with one queue, which answers each request with a byte: its version. Its
 * configuration tells the version as well.
 */
final class VirtioCard implements VirtioDevice {
    private static final String SCHEMA = "virtio-card";
    private static final int DEVICE_ID = 2;
    private static final int OTHER_DEVICE_ID = 4;
    private static final int CLASS_CODE = 0x018000;
    private static final int QUEUE_SIZE = 16;

    private final Conduct conduct;

    /** Read by the control thread in {@link #idle}, filled by the worker. */
    private final List<DescriptorChain> kept = new ArrayList<>();

    private volatile SplitQueue queue;
    private volatile boolean quiesced;

    VirtioCard(Conduct conduct) {
        this.conduct = conduct;
        conduct.hangIf(Behaviour.HANGS_IN_CREATE);
        conduct.throwIf(Behaviour.THROWS_IN_CREATE, "create");
    }

    @Override
    public VirtioShape shape() {
        int id = conduct.is(Behaviour.OTHER_SHAPE) ? OTHER_DEVICE_ID : DEVICE_ID;
        return new VirtioShape(id, CLASS_CODE, 0, List.of(QUEUE_SIZE), 4);
    }

    @Override
    public long readConfig(int offset, int width) {
        conduct.hangIf(Behaviour.HANGS_IN_READ);
        conduct.throwIf(Behaviour.THROWS_IN_READ, "readConfig");
        return conduct.version();
    }

    @Override
    public void writeConfig(int offset, int width, long value) {
        // Nothing in it can be written.
    }

    @Override
    public void activate(long features, List<SplitQueue> queues) {
        queue = queues.get(0);
    }

    @Override
    public void work(int index) {
        SplitQueue own = queue;
        while (!quiesced) {
            DescriptorChain chain = own.poll();
            if (chain == null) {
                return;
            }
            conduct.throwIf(Behaviour.THROWS_IN_WORK, "work");
            conduct.hangIf(Behaviour.HANGS_IN_WORK);
            while (conduct.is(Behaviour.FLOODS) && conduct.held()) {
                own.interrupt();
            }
            if (conduct.is(Behaviour.KEEPS_REQUESTS)) {
                synchronized (kept) {
                    kept.add(chain);
                }
            } else {
                answer(own, chain);
            }
        }
    }

    private void answer(SplitQueue own, DescriptorChain chain) {
        OffHeap.putByte(chain.address(chain.readableSegments()), (byte) conduct.version());
        own.complete(chain, 1);
        own.interrupt();
    }

    @Override
    public void start() {
        conduct.throwIf(Behaviour.THROWS_IN_START, "start");
    }

    @Override
    public void quiesce() {
        conduct.hangIf(Behaviour.HANGS_IN_QUIESCE);
        quiesced = true;
    }

    @Override
    public boolean idle() {
        synchronized (kept) {
            return kept.isEmpty() && !conduct.is(Behaviour.NEVER_RESTS);
        }
    }

    @Override
    public void resume() {
        quiesced = false;
    }

    @Override
    public void reset() {
        quiesced = false;
        queue = null;
        synchronized (kept) {
            kept.clear();
        }
    }

    @Override
    public SaveSupport saveSupport() {
        return new SaveSupport.Saveable(() -> SavedState.of(SCHEMA, 1).build(), this::restore);
    }

    private void restore(SavedState state) throws DeviceException {
        if (conduct.is(Behaviour.REFUSES_STATE)) {
            throw new DeviceException("The card takes no state.");
        }
        state.require(SCHEMA, 1);
    }

    @Override
    public void close() {
        // It holds nothing.
    }
}
