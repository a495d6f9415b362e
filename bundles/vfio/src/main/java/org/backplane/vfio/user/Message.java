package org.backplane.vfio.user;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.backplane.linux.Fd;

/**
 * A message as it came.
 *
 * @param id the sender's of a command, the receiver's of a reply
 * @param flags type and bits of {@link Wire}
 * @param errno of a reply with the bit for an error
 * @param payload what is behind the header, little-endian, from 0 to its limit
 * @param descriptors that came with it: they are whoever's that has the message
 */
record Message(
        int id, int command, int flags, int errno, ByteBuffer payload, List<Fd> descriptors) {
    boolean isReply() {
        return (flags & Wire.TYPE_MASK) == Wire.TYPE_REPLY;
    }

    boolean isError() {
        return (flags & Wire.ERROR) != 0;
    }

    boolean wantsReply() {
        return (flags & Wire.NO_REPLY) == 0;
    }

    void closeDescriptors() {
        descriptors.forEach(Fd::close);
    }

    /** A payload to be filled. */
    static ByteBuffer payload(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
