package org.backplane.vfio.kernel;

import static org.backplane.vfio.kernel.VfioAbi.*;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * A capability behind an information structure, {@code struct vfio_info_cap_header}.
 *
 * @param offset of its header in the structure
 */
record InfoCapability(ByteBuffer structure, int offset) {
    /** Those that lie whole in the structure, in their order; a chain that loops ends. */
    static List<InfoCapability> chain(ByteBuffer structure, int first) {
        List<InfoCapability> chain = new ArrayList<>();
        int at = first;
        while (at > 0
                && at <= structure.capacity() - CAP_HEADER_BYTES
                && chain.size() < structure.capacity() / CAP_HEADER_BYTES) {
            chain.add(new InfoCapability(structure, at));
            at = structure.getInt(at + CAP_HEADER_NEXT);
        }
        return chain;
    }

    int id() {
        return structure.getShort(offset + CAP_HEADER_ID) & 0xffff;
    }

    int u32(int at) {
        return structure.getInt(offset + at);
    }

    long u64(int at) {
        return structure.getLong(offset + at);
    }
}
