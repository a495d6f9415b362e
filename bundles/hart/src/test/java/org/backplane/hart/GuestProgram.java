package org.backplane.hart;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * A program at fixed addresses that leaves its results in an output area, to be run by whatever
 * executes RV64GC. How it is entered and what happens at its end belongs to the runner, whose code
 * goes to {@link #ENTRY} and {@link #FINISH}.
 *
 * <p>All addresses fit in 31 bits: lui builds them without sign extension.
 */
final class GuestProgram {
    static final int BASE = 0x4000_0000;
    static final int ENTRY = BASE;
    static final int FINISH = BASE + 0x800;
    static final int CODE = BASE + 0x1000;
    static final int DATA = BASE + 0x0100_0000;
    static final int OUTPUT = BASE + 0x0200_0000;
    static final int END = BASE + 0x0600_0000;

    private ByteBuffer code = buffer(1 << 16);
    private ByteBuffer data = buffer(1 << 16);
    private int outputLength;
    private int afterIllegal;

    private static ByteBuffer buffer(int capacity) {
        return ByteBuffer.allocate(capacity).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static ByteBuffer room(ByteBuffer buffer, int bytes, int limit) {
        if (buffer.remaining() >= bytes) {
            return buffer;
        }
        if (buffer.position() + bytes > limit) {
            throw new IllegalStateException("a batch is too large for its area");
        }
        int capacity = Math.min(limit, Math.max(buffer.capacity() * 2, buffer.position() + bytes));
        return buffer(capacity).put(buffer.flip());
    }

    /** Where the next instruction goes. */
    int here() {
        return CODE + code.position();
    }

    GuestProgram emit(int word) {
        code = room(code, 4, DATA - CODE);
        code.putInt(word);
        return this;
    }

    GuestProgram emit16(int halfword) {
        code = room(code, 2, DATA - CODE);
        code.putShort((short) halfword);
        return this;
    }

    /** Replaces a word emitted before: for branches forward. */
    void patch(int address, int word) {
        code.putInt(address - CODE, word);
    }

    GuestProgram loadAddress(int register, int address) {
        int upper = address + 0x800;
        emit(Rv64.u(Rv64.LUI, register, upper));
        return emit(Rv64.i(Rv64.OP_IMM_32, 0, register, register, address - (upper & ~0xfff)));
    }

    /** Jumps to an address up to 1 MiB away. */
    GuestProgram jump(int address) {
        return emit(Rv64.j(0, address - here()));
    }

    /** Ends the program; results are what the output area holds then. */
    GuestProgram finish() {
        loadAddress(5, FINISH);
        return emit(Rv64.i(Rv64.JALR, 0, 0, 5, 0));
    }

    /** Puts doublewords into the data area; returns their address. */
    int data(long... values) {
        int address = DATA + data.position();
        data = room(data, values.length * Long.BYTES, OUTPUT - DATA);
        for (long value : values) {
            data.putLong(value);
        }
        return address;
    }

    /** Reserves bytes of the output area; returns their address. */
    int output(int bytes) {
        int address = OUTPUT + outputLength;
        outputLength += bytes;
        if (address + bytes > END) {
            throw new IllegalStateException("a batch is too large for its area");
        }
        return address;
    }

    /**
     * Asks the runner to set a register to 1 and go on where an instruction is illegal, instead of
     * ending the run. It may clobber x29 and x30 for it, and uses memory below x2.
     */
    void skipIllegal(int register) {
        afterIllegal = register;
    }

    /** The register that {@link #skipIllegal} named, or 0. */
    int afterIllegal() {
        return afterIllegal;
    }

    int outputLength() {
        return outputLength;
    }

    byte[] code() {
        return Arrays.copyOf(code.array(), code.position());
    }

    byte[] data() {
        return Arrays.copyOf(data.array(), data.position());
    }

    /** What a runner found in the output area. */
    record Results(ByteBuffer bytes) {
        long at(int address) {
            return bytes.getLong(address - OUTPUT);
        }
    }
}
