package org.backplane.device.virtio.net;

import org.backplane.linux.IoVec;
import org.backplane.virtio.DescriptorChain;
import org.backplane.virtio.SplitQueue;

/**
 * The transmit queue of a pair: sends the driver's frames to a channel (virtio 1.2, section
 * 5.1.6.2). A frame that the channel has no room for stays in the queue.
 */
final class Transmitter {
    /** Completions before the driver is interrupted, if it wants to be: bounds their delay. */
    private static final int BATCH = 16;

    /** Frames before the worker is left, however many more there are. */
    private static final int BURST = 256;

    private final VirtioNet net;
    private final boolean headers;
    private final Backend.Channel channel;
    private final IoVec vector = new IoVec(IoVec.MAXIMUM);

    // Guarded by this.
    private SplitQueue queue;

    Transmitter(VirtioNet net, Backend backend, Backend.Channel channel) {
        this.net = net;
        this.channel = channel;
        headers = backend.headers();
    }

    /** Frames are a driver's from now on; null if there is none any more. */
    synchronized void connect(SplitQueue driver) {
        queue = driver;
    }

    boolean sendsTo(Backend.Channel other) {
        return channel == other;
    }

    /** There may be frames to send, or room for them. */
    synchronized void work() {
        if (queue == null) {
            return;
        }
        queue.disableNotifications();
        int done = 0;
        do {
            DescriptorChain chain;
            while (net.running() && (chain = queue.poll()) != null) {
                if (done == BURST) {
                    queue.putBack(chain);
                    queue.interrupt();
                    net.goOnLater();
                    return;
                }
                if (!send(chain)) {
                    // The channel tells when there is room; the driver need not.
                    queue.putBack(chain);
                    queue.interrupt();
                    return;
                }
                queue.complete(chain, 0);
                if (++done % BATCH == 0) {
                    queue.interrupt();
                }
            }
            queue.interrupt();
        } while (queue.enableNotifications() && net.running());
    }

    /**
     * @return false if there was no room for it
     */
    private boolean send(DescriptorChain chain) {
        int header = net.headerBytes();
        long frame = chain.readableLength() - header;
        if (frame < NetWire.ETHERNET_BYTES || frame > NetWire.LONGEST_FRAME) {
            net.guestMistook("a frame of %d bytes to send", frame);
            return true;
        }
        if (chain.readableSegments() > IoVec.MAXIMUM) {
            net.guestMistook("a frame in %d pieces", chain.readableSegments());
            return true;
        }
        if (!net.linkUp()) {
            return true;
        }
        vector.clear();
        for (int i = 0; i < chain.readableSegments(); i++) {
            vector.add(chain.address(i), chain.length(i));
        }
        if (!headers) {
            vector.advance(header);
        }
        // Several pairs may share the channel.
        synchronized (channel) {
            return channel.send(vector) != Backend.Channel.Sent.FULL;
        }
    }
}
