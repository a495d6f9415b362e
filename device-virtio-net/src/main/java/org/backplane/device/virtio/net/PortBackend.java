package org.backplane.device.virtio.net;

import java.util.Optional;
import org.backplane.device.context.DeviceContext;
import org.backplane.device.context.Watch;
import org.backplane.linux.Fd;
import org.backplane.linux.FramePort;
import org.backplane.linux.IoVec;

/**
 * A port of the host for whole frames: the slot keeps it, and with it connections, frames that wait
 * and a frame that has come in half. One channel, whatever the number of queues.
 *
 * <p>Frames carry no header, neither to libslirp nor over QEMU's and passt's streams, so nobody
 * would be told of a checksum that is still to be made or of a segment that is still to be cut: no
 * offload is offered, and the driver makes frames that are complete.
 */
final class PortBackend implements Backend, Backend.Channel {
    private final DeviceContext context;
    private final FramePort port;
    private final boolean fresh;
    private Watch reading;

    /**
     * @param port the slot's
     * @param fresh whether it was opened for this device
     */
    PortBackend(DeviceContext context, FramePort port, boolean fresh) {
        this.context = context;
        this.port = port;
        this.fresh = fresh;
    }

    @Override
    public boolean headers() {
        return false;
    }

    @Override
    public long offloads() {
        return 0;
    }

    @Override
    public int channels() {
        return 1;
    }

    @Override
    public Channel channel(int index) {
        return this;
    }

    @Override
    public boolean fresh() {
        return fresh;
    }

    @Override
    public void start(Listener listener) {
        reading =
                context.onReadable(
                        port.readiness(),
                        () -> {
                            port.work();
                            listener.readable(0);
                        });
        Optional<Fd> room = port.room();
        if (room.isPresent()) {
            context.onReadable(
                    room.get(),
                    () -> {
                        if (port.flush()) {
                            listener.writable(0);
                        }
                    });
        }
    }

    @Override
    public Sent send(IoVec frame) {
        return port.send(frame) ? Sent.SENT : Sent.FULL;
    }

    @Override
    public int receive(IoVec into) {
        int bytes = port.receive(into);
        return bytes < 0 ? NOTHING : bytes;
    }

    @Override
    public void listen(boolean on) {
        if (on) {
            reading.resume();
        } else {
            reading.suspend();
        }
    }

    @Override
    public void setGuestOffloads(long features) {
        // None was offered.
    }

    @Override
    public void setHeaderBytes(int bytes) {
        // Frames have no header here.
    }

    @Override
    public void setPairs(int pairs) {
        // One channel serves them all.
    }

    @Override
    public void close() {
        // The port is the slot's; watches are leases.
    }
}
