package org.backplane.linux;

import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A place where whole Ethernet frames come from and go to, without check sequence. It outlives the
 * devices at it: frames that wait, a frame that has come in half, and connections stay with it.
 * Nothing here waits. Receiving belongs to one thread at a time, sending to any.
 */
@ProviderType
public sealed interface FramePort extends AutoCloseable permits Slirp, FrameSocket {
    /** The longest frame of any port: 64 KiB behind an Ethernet header with a VLAN tag. */
    int LONGEST = 65536 + 18;

    /** Readable while there is a frame to receive, or {@link #work} to do. */
    Fd readiness();

    /** Does what is due. Frames that it brings are received right after. */
    void work();

    /** Length in bytes of the frame that {@link #receive} gives next; -1 if there is none now. */
    int next();

    /**
     * Takes the next frame.
     *
     * @param into where to; a frame that is longer is lost
     * @return its length in bytes; 0 if it was lost, -1 if there was none
     */
    int receive(IoVec into);

    /** Loses the next frame, if there is one. */
    void skip();

    /**
     * Sends a frame, or loses it if there is nobody to take it.
     *
     * @param frame read before this returns, and left as it is
     * @return false if there is no room now, and the frame was not taken
     */
    boolean send(IoVec frame);

    /** Readable once a port that had no room may have some; empty for one that always has. */
    Optional<Fd> room();

    /**
     * Brings out what a {@link #send} left to be sent later; for {@link #room}.
     *
     * @return whether there is room
     */
    boolean flush();

    /** Frames that were lost since the port was opened, either way. */
    long lost();

    @Override
    void close();
}
