package org.backplane.device.virtio.net;

import org.backplane.linux.IoVec;

/** A cable that ends nowhere: takes every frame and gives none. */
final class NoBackend implements Backend, Backend.Channel {
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
        return false;
    }

    @Override
    public Sent send(IoVec frame) {
        return Sent.SENT;
    }

    @Override
    public int receive(IoVec into) {
        return NOTHING;
    }

    @Override
    public void listen(boolean on) {
        // Nobody will ever be told.
    }

    @Override
    public void start(Listener listener) {
        // Nothing is to be begun.
    }

    @Override
    public void setGuestOffloads(long features) {
        // No frame will need them.
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
        // Nothing is held.
    }
}
