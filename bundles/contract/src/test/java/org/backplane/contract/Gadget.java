package org.backplane.contract;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.backplane.linux.Fd;
import org.backplane.linux.LinuxException;
import org.backplane.linux.OpenFlag;
import org.backplane.virtio.DescriptorChain;
import org.backplane.virtio.SplitQueue;
import org.backplane.virtio.VirtioDevice;
import org.backplane.virtio.VirtioShape;

/**
 * A virtio device that keeps the contract, to be broken in one place each: a dial in its
 * configuration, and a queue of buffers that it fills with the dial's lowest byte.
 */
class Gadget implements VirtioDevice {
    static final String KIND = "gadget";
    static final int BYTES = 4;

    final DeviceContext context;
    final Fd host;
    boolean quiesced;
    SplitQueue queue;
    int dial;

    Gadget(DeviceContext context) throws DeviceException {
        this(context, true);
    }

    Gadget(DeviceContext context, boolean particular) throws DeviceException {
        Map<String, String> settings = context.settings();
        if (particular && !settings.isEmpty()) {
            throw new DeviceException("No setting %s is known.".formatted(settings.keySet()));
        }
        this.context = context;
        host = context.kept("host", Fd.class, Gadget::open);
    }

    static Fd open() throws DeviceException {
        try {
            return Fd.open(Path.of("/dev/urandom"), OpenFlag.READ);
        } catch (LinuxException e) {
            throw new DeviceException("no source", e);
        }
    }

    @Override
    public VirtioShape shape() {
        return new VirtioShape(60, 0x00ff00, 0, List.of(16), BYTES);
    }

    @Override
    public long readConfig(int offset, int width) {
        return offset < BYTES ? (dial & 0xffff_ffffL) >>> 8 * offset : 0;
    }

    @Override
    public void writeConfig(int offset, int width, long value) {
        long mask = (1L << 8 * width) - 1;
        dial = (int) (dial & ~(mask << 8 * offset) | (value & mask) << 8 * offset);
    }

    @Override
    public void start() throws DeviceException {
        // Nothing to be begun.
    }

    @Override
    public void activate(long features, List<SplitQueue> queues) {
        queue = queues.get(0);
    }

    @Override
    public void work(int index) {
        boolean answered = false;
        DescriptorChain chain;
        while (!quiesced && queue != null && (chain = queue.poll()) != null) {
            answer(chain);
            answered = true;
        }
        if (answered) {
            tell();
        }
    }

    void tell() {
        queue.interrupt();
    }

    void answer(DescriptorChain chain) {
        try {
            host.status();
            queue.complete(chain, chain.write(0, new byte[] {(byte) dial}, 0, 1));
        } catch (LinuxException e) {
            failed(chain, e);
        }
    }

    void failed(DescriptorChain chain, LinuxException e) {
        queue.complete(chain, 0);
    }

    @Override
    public void quiesce() {
        quiesced = true;
    }

    @Override
    public boolean idle() {
        return true;
    }

    @Override
    public void resume() {
        quiesced = false;
    }

    @Override
    public void reset() {
        queue = null;
        dial = 0;
        quiesced = false;
    }

    @Override
    public SaveSupport saveSupport() {
        return new SaveSupport.Saveable(() -> saved().build(), this::restore);
    }

    String schema() {
        return KIND;
    }

    SavedState.Builder saved() {
        return SavedState.of(schema(), 1).number("dial", dial & 0xffff_ffffL);
    }

    void restore(SavedState state) throws DeviceException {
        state.require(schema(), 1);
        dial = (int) state.number("dial", 0, 0, 0xffff_ffffL);
    }

    @Override
    public void close() {
        queue = null;
    }
}
