package org.backplane.hypervisor;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.BitSet;
import org.backplane.device.state.SavedState;

/**
 * Reads one part of an engine's saved state and trusts nothing in it. Unknown names are ignored, a
 * missing value is the one after reset, and what the part could never hold is refused with a
 * sentence that names it.
 */
public final class StateReader {
    /** All bits of a number may be set. */
    public static final long ANY = -1;

    private final String part;
    private final SavedState state;

    /**
     * Looks at schema and version.
     *
     * @param part what the state is of, as it is named in a refusal
     * @param newest the highest version that the reader knows
     */
    public StateReader(String part, SavedState state, String schema, int newest)
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
    public StateReader child(String name, String childPart, String schema, int newest)
            throws HypervisorException {
        SavedState child = state.child(name);
        if (child == null) {
            throw refusal("there is no '%s' in it", name);
        }
        return new StateReader(childPart, child, schema, newest);
    }

    /** Whether a part is there that need not be. */
    public boolean hasChild(String name) {
        return state.child(name) != null;
    }

    /**
     * A number.
     *
     * @param otherwise what it is if it is missing
     * @param possible the bits that may be set
     */
    public long number(String name, long otherwise, long possible) throws HypervisorException {
        long value = state.number(name, otherwise);
        if ((value & ~possible) != 0) {
            throw impossible(name, value);
        }
        return value;
    }

    /** A number within bounds, 0 if it is missing. */
    public int within(String name, int least, int most) throws HypervisorException {
        long value = state.number(name, 0);
        if (value < least || value > most) {
            throw refusal("%s is %d and not %d to %d", name, value, least, most);
        }
        return (int) value;
    }

    /** Whether a number, 0 or 1, is 1. */
    public boolean flag(String name) throws HypervisorException {
        return number(name, 0, 1) != 0;
    }

    /** Refuses the state unless a number, if it is there, is what this VM has. */
    public void requireSame(String name, long ours) throws HypervisorException {
        long theirs = state.number(name, ours);
        if (theirs != ours) {
            throw refusal(
                    "its %s is %d and this VM's is %d; restore it to a VM like the one it is of",
                    name, theirs, ours);
        }
    }

    /** So many values of 64 bits; zeros if they are missing. */
    public long[] longs(String name, int count) throws HypervisorException {
        return longs(bytes(name, count * Long.BYTES));
    }

    /** So many values of 32 bits; zeros if they are missing. */
    public int[] ints(String name, int count) throws HypervisorException {
        int[] values = new int[count];
        little(bytes(name, count * Integer.BYTES)).asIntBuffer().get(values);
        return values;
    }

    /** Bits 1 to count - 1: there is no source and no identity 0. */
    public BitSet bits(String name, int count) throws HypervisorException {
        BitSet bits = BitSet.valueOf(bytes(name, (count + Byte.SIZE - 1) / Byte.SIZE));
        if (bits.get(0) || bits.length() > count) {
            throw refusal("'%s' has bits outside of 1 to %d", name, count - 1);
        }
        return bits;
    }

    /**
     * Values of 64 bits in groups, which have to be there.
     *
     * @param group values that belong together
     * @param most groups
     */
    public long[] groups(String name, int group, int most) throws HypervisorException {
        byte[] bytes = bytes(name, 0, most * group * Long.BYTES);
        if (bytes.length % (group * Long.BYTES) != 0) {
            throw refusal("%s ends in the middle of an entry", name);
        }
        return longs(bytes);
    }

    /** A byte string of a length within bounds, which has to be there. */
    public byte[] bytes(String name, int least, int most) throws HypervisorException {
        byte[] bytes = state.bytes(name);
        if (bytes == null) {
            throw refusal("there is no %s", name);
        }
        if (bytes.length < least || bytes.length > most) {
            throw refusal("%s has %d bytes and not %d to %d", name, bytes.length, least, most);
        }
        return bytes;
    }

    private static long[] longs(byte[] bytes) {
        long[] values = new long[bytes.length / Long.BYTES];
        little(bytes).asLongBuffer().get(values);
        return values;
    }

    private static ByteBuffer little(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
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

    /** The exception for a value that cannot be. */
    public HypervisorException impossible(String name, long value) {
        return refusal("%s cannot be 0x%x", name, value);
    }

    /** The exception for a state that cannot be, for a reason. */
    public HypervisorException refusal(String reason, Object... values) {
        return new HypervisorException(
                "The saved state of %s cannot be restored: %s."
                        .formatted(part, reason.formatted(values)));
    }
}
