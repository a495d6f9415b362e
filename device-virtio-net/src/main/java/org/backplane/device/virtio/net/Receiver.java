package org.backplane.device.virtio.net;

import org.backplane.linux.IoVec;
import org.backplane.linux.LinuxException;
import org.backplane.linux.Mapping;
import org.backplane.virtio.DescriptorChain;
import org.backplane.virtio.SplitQueue;

/**
 * The receive queue of a pair: puts frames of a channel into the driver's buffers (virtio 1.2,
 * section 5.1.6.3).
 *
 * <p>How long a frame is shows when it has been read. So chains are taken for as much as the last
 * frames needed, with memory of our own behind them; what a longer frame leaves there is copied,
 * and the next time there are more chains. Chains that were not needed are put back before the
 * worker leaves: nothing is held between two calls, and a swap finds nothing under way.
 *
 * <p>A frame that the driver has not enough buffers for waits for more of them, for a while; the
 * channel does not listen meanwhile.
 */
final class Receiver implements AutoCloseable {
    /** Frames before the worker is left, so that it can be used for something else. */
    private static final int BURST = 64;

    private final VirtioNet net;
    private final boolean headers;

    /** Null for a pair that no channel serves. */
    private final Backend.Channel channel;

    private final Mapping spill;
    private final RxChains chains;
    private final IoVec vector = new IoVec(IoVec.MAXIMUM);
    private final byte[] head = new byte[NetWire.ETHERNET_BYTES + NetWire.VLAN_BYTES];

    // Guarded by this.
    private SplitQueue queue;

    /** Bytes to take chains for: what frames needed lately. */
    private long expected = NetWire.HEADER_BYTES;

    /** Length of a frame that waits in the spill, header included; 0 if there is none. */
    private int pending;

    Receiver(VirtioNet net, Backend backend, Backend.Channel channel) throws LinuxException {
        this.net = net;
        this.channel = channel;
        headers = backend.headers();
        long page = Mapping.pageSize();
        spill =
                Mapping.anonymous(
                        (RxChains.LONGEST + page - 1) / page * page, Mapping.Protection.READ_WRITE);
        chains = new RxChains(spill.address());
    }

    /** Frames go to a driver from now on; null if there is none any more. */
    synchronized void connect(SplitQueue driver) {
        queue = driver;
        chains.forget();
        chains.header(net.headerBytes());
        pending = 0;
        expected = chains.header();
        listen(true);
    }

    /** A frame that waited in vain is lost. */
    synchronized void giveUp() {
        if (pending > 0) {
            net.lost("a frame of %d bytes for which there were no buffers", pending);
            pending = 0;
            listen(true);
        }
    }

    synchronized void listen(boolean on) {
        if (channel != null) {
            channel.listen(on);
        }
    }

    /** Frames may have come, or buffers for them. */
    synchronized void work() {
        if (channel == null) {
            return;
        }
        SplitQueue driver = net.linkUp() ? queue : null;
        if (driver == null) {
            discard();
            return;
        }
        boolean buffers = true;
        for (int i = 0; i < BURST && buffers && net.running(); i++) {
            if (pending > 0) {
                buffers = deliver(driver, pending, 0);
                continue;
            }
            buffers = take(driver, expected);
            if (buffers) {
                int length = receive();
                if (length == Backend.Channel.NOTHING) {
                    break;
                }
                if (length > 0 && admits(length)) {
                    buffers = deliver(driver, length, Math.min(chains.room(), length));
                }
            }
        }
        chains.putBack(driver);
        driver.interrupt();
        // Without buffers the driver has been told to ring for the next.
        listen(buffers && net.running());
    }

    /** Nobody is there to take frames. */
    private void discard() {
        pending = 0;
        for (int i = 0; i < BURST && net.running(); i++) {
            if (receive() == Backend.Channel.NOTHING) {
                break;
            }
        }
        listen(net.running());
    }

    /** Reads a frame into the chains that there are; its length with the header. */
    private int receive() {
        chains.prepare(vector);
        if (!headers) {
            if (!chains.isEmpty()) {
                chains.clearHeader();
            }
            vector.advance(chains.header());
        }
        int length = channel.receive(vector);
        return length > 0 && !headers ? length + chains.header() : length;
    }

    /**
     * Takes chains until there is room, or as many as there are.
     *
     * @return false if there is none
     */
    private boolean take(SplitQueue driver, long bytes) {
        while (chains.isEmpty()
                || (chains.room() < bytes
                        && chains.hasPlace()
                        && net.negotiated(NetWire.F_MRG_RXBUF))) {
            DescriptorChain chain = driver.poll();
            if (chain == null) {
                return !chains.isEmpty();
            }
            if (chains.usable(chain)) {
                chains.add(chain);
            } else if (chains.isEmpty()) {
                net.guestMistook("a buffer of %d bytes", chain.writableLength());
                driver.complete(chain, 0);
                // As if it was the last: one who offers them in a loop gets nowhere.
                return false;
            } else {
                driver.putBack(chain);
                return true;
            }
        }
        return true;
    }

    /** Whether the driver wants the frame that was read. */
    private boolean admits(int length) {
        int frame = length - chains.header();
        if (frame < NetWire.ETHERNET_BYTES) {
            return false;
        }
        chains.read(chains.header(), head, Math.min(frame, head.length));
        return net.admits(head);
    }

    /**
     * Gives the driver a frame.
     *
     * @param fitted what of it is in the chains already; the rest is in the spill
     * @return false if there are no buffers for it: it waits
     */
    private boolean deliver(SplitQueue driver, int length, long fitted) {
        if (chains.room() < length && (!take(driver, length) || chains.room() < length)) {
            return waits(driver, length, fitted);
        }
        chains.scatter(fitted, length);
        if (!net.negotiated(NetWire.F_GUEST_CSUM)) {
            chains.clear(NetWire.HEADER_FLAGS);
        }
        chains.finish(driver, length);
        pending = 0;
        expected = Math.max(length, expected - expected / 8);
        return true;
    }

    private boolean waits(SplitQueue driver, int length, long fitted) {
        if (!net.negotiated(NetWire.F_MRG_RXBUF) && !chains.isEmpty()) {
            net.lost("a frame of %d bytes, longer than a buffer", length);
            pending = 0;
            return true;
        }
        chains.gather(fitted);
        chains.putBack(driver);
        pending = length;
        net.awaitBuffers();
        return false;
    }

    @Override
    public synchronized void close() {
        queue = null;
        spill.close();
    }
}
