package org.backplane.device.state;

import java.io.ByteArrayOutputStream;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.backplane.device.DeviceException;

/**
 * A {@link SavedState} as bytes, for a file. All numbers are big-endian. The bytes begin with the
 * magic {@code BPST} and the format's version, 16 bits, which is 1; then comes one state:
 *
 * <pre>
 * schema   name
 * version  32 bits
 * numbers  count, 32 bits; each a name and 64 bits
 * bytes    count, 32 bits; each a name, a length of 32 bits, and that many bytes
 * children count, 32 bits; each a name and a state
 * </pre>
 *
 * <p>A name is a length of 16 bits and that many bytes of UTF-8, at most {@value #MAX_NAME}. Names
 * of one list ascend, so that equal states are equal bytes. States are nested at most {@value
 * #MAX_DEPTH} deep. Nothing follows the outermost state.
 *
 * <p>The bytes may come from anywhere: what is not such a state is refused, and reading takes
 * memory in proportion to the bytes that are there, not to the lengths that they claim.
 */
public final class StateFormat {
    /** Of a name, in bytes. */
    public static final int MAX_NAME = 1024;

    /** The outermost state is at depth 1. */
    public static final int MAX_DEPTH = 16;

    private static final int MAGIC = 0x42505354;
    private static final short VERSION = 1;

    /** The least that a number, a byte string and a child take. */
    private static final int LEAST_NUMBER = 2 + 8;

    private static final int LEAST_BYTES = 2 + 4;
    private static final int LEAST_CHILD = 2 + 2 + 4 + 3 * 4;

    private StateFormat() {}

    /**
     * @throws DeviceException a name is too long or no text, or the state is nested too deep
     */
    public static byte[] encode(SavedState state) throws DeviceException {
        var out = new Output();
        out.integer(MAGIC);
        out.small(VERSION);
        out.state(state, 1);
        return out.bytes.toByteArray();
    }

    /**
     * @throws DeviceException the bytes are no state; the message says where and why
     */
    public static SavedState decode(byte[] bytes) throws DeviceException {
        var in = new Input(ByteBuffer.wrap(bytes));
        try {
            return in.whole();
        } catch (BufferUnderflowException e) {
            throw new DeviceException(
                    "The saved state is damaged: it ends after %d bytes, in the middle."
                            .formatted(bytes.length),
                    e);
        }
    }

    /** Writes one state after the other's parts. */
    private static final class Output {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        void small(int value) {
            bytes.write(value >>> 8);
            bytes.write(value);
        }

        void integer(int value) {
            small(value >>> 16);
            small(value);
        }

        void name(String name) throws DeviceException {
            ByteBuffer text;
            try {
                text = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(name));
            } catch (CharacterCodingException e) {
                throw new DeviceException("A name in the saved state is no text.", e);
            }
            if (text.remaining() > MAX_NAME) {
                throw new DeviceException(
                        "The name '%.20s...' in the saved state has %d bytes; at most %d are permitted."
                                .formatted(name, text.remaining(), MAX_NAME));
            }
            small(text.remaining());
            bytes.write(text.array(), text.arrayOffset(), text.remaining());
        }

        void state(SavedState state, int depth) throws DeviceException {
            if (depth > MAX_DEPTH) {
                throw new DeviceException(
                        "The saved state is nested more than %d deep.".formatted(MAX_DEPTH));
            }
            name(state.schema());
            integer(state.version());
            integer(state.numbers().size());
            for (var number : state.numbers().entrySet()) {
                name(number.getKey());
                integer((int) (number.getValue() >>> 32));
                integer(number.getValue().intValue());
            }
            List<String> names = new ArrayList<>();
            state.byteNames().forEach(names::add);
            Collections.sort(names);
            integer(names.size());
            for (String name : names) {
                byte[] value = state.bytes(name);
                name(name);
                integer(value.length);
                bytes.write(value, 0, value.length);
            }
            integer(state.children().size());
            for (var child : state.children().entrySet()) {
                name(child.getKey());
                state(child.getValue(), depth + 1);
            }
        }
    }

    /** Reads, and runs into the end of the buffer where a length promised too much. */
    private static final class Input {
        private final ByteBuffer bytes;

        Input(ByteBuffer bytes) {
            this.bytes = bytes;
        }

        SavedState whole() throws DeviceException {
            require(bytes.getInt() == MAGIC, "it does not begin with the letters BPST");
            short version = bytes.getShort();
            if (version != VERSION) {
                throw new DeviceException(
                        "The saved state is in format %d; this code reads format %d."
                                .formatted(version, VERSION));
            }
            SavedState state = state(1);
            require(!bytes.hasRemaining(), "bytes follow its end");
            return state;
        }

        private SavedState state(int depth) throws DeviceException {
            require(depth <= MAX_DEPTH, "it is nested too deep");
            SavedState.Builder state = SavedState.of(name(null), bytes.getInt());
            String before = null;
            for (int left = count(LEAST_NUMBER); left > 0; left--) {
                before = name(before);
                state.number(before, bytes.getLong());
            }
            before = null;
            for (int left = count(LEAST_BYTES); left > 0; left--) {
                before = name(before);
                state.bytes(before, take(bytes.getInt()));
            }
            before = null;
            for (int left = count(LEAST_CHILD); left > 0; left--) {
                before = name(before);
                state.child(before, state(depth + 1));
            }
            return state.build();
        }

        private int count(int least) throws DeviceException {
            int count = bytes.getInt();
            require(
                    count >= 0 && (long) count * least <= bytes.remaining(),
                    "it claims more entries than there are bytes for");
            return count;
        }

        /**
         * @param before the name that this one has to follow, or null
         */
        private String name(String before) throws DeviceException {
            int length = bytes.getShort() & 0xffff;
            require(length <= MAX_NAME, "a name is too long");
            String name;
            try {
                name =
                        StandardCharsets.UTF_8
                                .newDecoder()
                                .decode(ByteBuffer.wrap(take(length)))
                                .toString();
            } catch (CharacterCodingException e) {
                throw new DeviceException(damaged("a name is no text"), e);
            }
            require(before == null || before.compareTo(name) < 0, "its names are out of order");
            return name;
        }

        private byte[] take(int length) throws DeviceException {
            require(
                    length >= 0 && length <= bytes.remaining(),
                    "a length is more than what is left");
            byte[] taken = new byte[length];
            bytes.get(taken);
            return taken;
        }

        private void require(boolean held, String objection) throws DeviceException {
            if (!held) {
                throw new DeviceException(damaged(objection));
            }
        }

        private String damaged(String objection) {
            return "The saved state is damaged: near byte %d of %d, %s."
                    .formatted(bytes.position(), bytes.limit(), objection);
        }
    }
}
