package org.backplane.device.virtio.net;

import org.backplane.device.DeviceException;
import org.backplane.linux.IoVec;

/**
 * The host's end of a network: where frames come from and go to. One is made with each device, by
 * {@link Backends}.
 *
 * <p><b>What is kept.</b> The device is replaced under a running guest, and nobody on the network
 * may notice. Descriptors, connections, frames that have come in half: all that outlives a device
 * is asked of {@link org.backplane.device.context.DeviceContext#kept}, which knows only classes of
 * {@code org.backplane.linux} and closes them with the slot. What a backend makes itself ends with
 * {@link #close}.
 *
 * <p><b>Frames</b> are whole Ethernet frames without their check sequence, up to {@link
 * NetWire#LONGEST_FRAME} bytes, in memory of the host or the guest that stays valid for the call
 * only. With {@link #headers} each lies behind a {@code struct virtio_net_hdr} of as many bytes as
 * {@link #setHeaderBytes} says, of which the device sets num_buffers itself; without, the device
 * makes up and drops the header, and the backend never sees one.
 *
 * <p><b>Offloads.</b> The device offers a driver what {@link #offloads} says, and tells what the
 * driver really takes through {@link #setGuestOffloads}: the backend gives it nothing else.
 *
 * <p><b>Threads.</b> Nothing here waits. Everything runs behind the slot's gate, on workers of the
 * slot: {@link Channel#receive} under the receive queue's lock, {@link Channel#send} under a lock
 * of the channel, so that each is called once at a time; but the two at the same time.
 *
 * <p><b>Trouble</b> of the host loses frames, never the device: no method but {@link #start}
 * throws, what cannot be sent is {@link Channel.Sent#LOST}, what is broken gives no frames. One
 * line in the log says so, another when it is over.
 */
interface Backend extends AutoCloseable {
    /** Whom a backend tells that there is something to do, on a worker. */
    interface Listener {
        /** A channel has, or may have, a frame to receive. Told as long as it has and listens. */
        void readable(int channel);

        /** A channel that was full has room again. */
        void writable(int channel);
    }

    /** One way to and from the network; several carry parts of the traffic of one network. */
    interface Channel {
        /** What became of a frame. */
        enum Sent {
            /** It is on its way, or in the backend's own memory. */
            SENT,
            /** Nothing of it was taken: {@link Listener#writable} tells when to try again. */
            FULL,
            /** It is gone; the next may do better. */
            LOST
        }

        /** Nothing is there to receive. */
        int NOTHING = -1;

        /**
         * Sends one frame.
         *
         * @param frame all of it, in order; its runs may be consumed
         */
        Sent send(IoVec frame);

        /**
         * Takes the next frame.
         *
         * @param into room for the longest frame; its runs may be consumed
         * @return bytes stored from the start, header included; 0 if a frame was lost, or {@link
         *     #NOTHING}
         */
        int receive(IoVec into);

        /**
         * Whether the listener is told of frames. A device whose driver gives no buffers does not
         * listen, and the frames wait in the backend, or are lost there once that is full.
         */
        void listen(boolean on);
    }

    /** Whether frames are behind a header. */
    boolean headers();

    /**
     * The offload features of section 5.1.3 that can be offered: a subset of {@link
     * NetWire#GUEST_OFFLOADS} and {@link NetWire#HOST_OFFLOADS}. None without {@link #headers}.
     */
    long offloads();

    /** 1, or as many as there are pairs of queues. Pairs share channels in turn. */
    int channels();

    Channel channel(int index);

    /**
     * Whether the host's end was made for this device rather than taken over from the one before:
     * those on the network may not know that the guest is here.
     */
    boolean fresh();

    /** Begins to act on the host. Channels listen from now on. */
    void start(Listener listener) throws DeviceException;

    /** What the driver takes, of {@link NetWire#GUEST_OFFLOADS}; nothing at first. */
    void setGuestOffloads(long features);

    /**
     * How long the header is in front of each frame, where there is one: {@link
     * NetWire#HEADER_BYTES} or {@link NetWire#LEGACY_HEADER_BYTES}. Told before frames count.
     */
    void setHeaderBytes(int bytes);

    /** How many pairs of queues the driver uses; all of the channels at first. */
    void setPairs(int pairs);

    /** Ends what is the backend's own; not what the slot keeps. */
    @Override
    void close();
}
