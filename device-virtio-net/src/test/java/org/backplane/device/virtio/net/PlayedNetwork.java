package org.backplane.device.virtio.net;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.backplane.linux.IoVec;
import org.backplane.linux.Mapping;
import org.backplane.linux.Memfd;
import org.backplane.memory.OffHeap;

/** A host's end that the test plays: frames to receive, and a record of those that were sent. */
final class PlayedNetwork implements Backend {
    private static final int SIZE = 1 << 18;

    final boolean headers;
    final List<PlayedChannel> played = new ArrayList<>();
    long offered;
    long taken;
    int pairs;
    int headerBytes;
    boolean fresh;
    Listener listener;

    /** Reads and writes a vector's runs through the kernel, as no other way shows them. */
    private final Memfd file;

    private final Mapping window;

    PlayedNetwork(boolean headers, int channels) {
        this.headers = headers;
        offered = headers ? NetWire.GUEST_OFFLOADS | NetWire.HOST_OFFLOADS : 0;
        try {
            file = Memfd.create("frames", SIZE);
            window = Mapping.shared(file, 0, SIZE, Mapping.Protection.READ_WRITE);
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        for (int i = 0; i < channels; i++) {
            played.add(new PlayedChannel());
        }
    }

    final class PlayedChannel implements Channel {
        final Deque<byte[]> toReceive = new ArrayDeque<>();
        final List<byte[]> sent = new ArrayList<>();
        Sent next = Sent.SENT;
        boolean listening = true;
        int room;

        @Override
        public Sent send(IoVec frame) {
            if (next == Sent.SENT) {
                sent.add(read(frame));
            }
            return next;
        }

        private byte[] read(IoVec frame) {
            byte[] bytes = new byte[(int) frame.bytes()];
            try {
                file.pwritev(frame, 0);
            } catch (java.io.IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
            OffHeap.copy(window.address(), bytes, 0, bytes.length);
            return bytes;
        }

        @Override
        public int receive(IoVec into) {
            byte[] frame = toReceive.poll();
            if (frame == null) {
                return NOTHING;
            }
            room = (int) into.bytes();
            // At the file's end, so that nothing behind the frame is read.
            long at = SIZE - frame.length;
            OffHeap.copy(frame, 0, window.address() + at, frame.length);
            try {
                file.preadv(into, at);
            } catch (java.io.IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
            return Math.min(frame.length, room);
        }

        @Override
        public void listen(boolean on) {
            listening = on;
        }
    }

    @Override
    public boolean headers() {
        return headers;
    }

    @Override
    public long offloads() {
        return offered;
    }

    @Override
    public int channels() {
        return played.size();
    }

    @Override
    public Channel channel(int index) {
        return played.get(index);
    }

    @Override
    public boolean fresh() {
        return fresh;
    }

    @Override
    public void start(Listener to) {
        listener = to;
    }

    @Override
    public void setGuestOffloads(long features) {
        taken = features;
    }

    @Override
    public void setHeaderBytes(int bytes) {
        headerBytes = bytes;
    }

    @Override
    public void setPairs(int count) {
        pairs = count;
    }

    @Override
    public void close() {
        window.close();
        file.close();
    }
}
