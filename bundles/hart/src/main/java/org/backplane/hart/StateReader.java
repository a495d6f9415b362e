package org.backplane.hart;

import java.util.BitSet;
import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.HypervisorException;

/**
 * Reads one part of a saved state and trusts nothing in it. Unknown names are ignored, a missing
 * value is the one after reset, and what the part could never hold is refused with a sentence that
 * names it.
 */
final class StateReader {
    /** All bits of a number may be set. */
    static final long ANY = -1;

    private final String part;
    private final SavedState state;

    /**
     * @param part what the state is of, as it is named in a refusal
     * @param newest the highest version that the reader knows
     */
    StateReader(String part, SavedState state, String schema, int newest)
            throws HypervisorException {
        this.part = part;
        this.state = state;
        if (!state.schema().equals(schema)) {
            throw refusal("it is of '%s', not of '%s'", state.schema(), schema);
        }
        if (state.version() < 1 || state.version() > newest) {
            throw refusal("its version is %d, this engine reads 1 to %d", state.version(), newest);
        }
    }

    /** Reads a part of this part, which has to be there. */
    StateReader child(String name, String childPart, String schema, int newest)
            throws HypervisorException {
        SavedState child = state.child(name);
        if (child == null) {
            throw refusal("there is no '%s' in it", name);
        }
        return new StateReader(childPart, child, schema, newest);
    }

    boolean hasChild(String name) {
        return state.child(name) != null;
    }

    /**
     * @param possible the bits that may be set
     */
    long number(String name, long otherwise, long possible) throws HypervisorException {
        long value = state.number(name, otherwise);
        if ((value & ~possible) != 0) {
            throw impossible(name, value);
        }
        return value;
    }

    boolean flag(String name) throws HypervisorException {
        return number(name, 0, 1) != 0;
    }

    /** Refuses the state unless a number, if it is there, is what this VM has. */
    void requireSame(String name, long ours) throws HypervisorException {
        long theirs = state.number(name, ours);
        if (theirs != ours) {
            throw refusal(
                    "its %s is %d and this VM's is %d; restore it to a VM like the one it is of",
                    name, theirs, ours);
        }
    }

    long[] longs(String name, int count) throws HypervisorException {
        return LittleEndian.longs(bytes(name, count * Long.BYTES));
    }

    int[] ints(String name, int count) throws HypervisorException {
        return LittleEndian.ints(bytes(name, count * Integer.BYTES));
    }

    /** Bits 1 to count - 1: there is no source and no identity 0. */
    BitSet bits(String name, int count) throws HypervisorException {
        BitSet bits = BitSet.valueOf(bytes(name, LittleEndian.bitBytes(count)));
        if (bits.get(0) || bits.length() > count) {
            throw refusal("'%s' has bits outside of 1 to %d", name, count - 1);
        }
        return bits;
    }

    private byte[] bytes(String name, int length) throws HypervisorException {
        byte[] bytes = state.bytes(name);
        if (bytes == null) {
            return new byte[length];
        }
        if (bytes.length != length) {
            throw refusal("'%s' has %d bytes and not %d", name, bytes.length, length);
        }
        return bytes;
    }

    HypervisorException impossible(String name, long value) {
        return refusal("%s cannot be 0x%x", name, value);
    }

    HypervisorException refusal(String reason, Object... values) {
        return new HypervisorException(
                "The saved state of %s cannot be restored: %s."
                        .formatted(part, reason.formatted(values)));
    }
}
