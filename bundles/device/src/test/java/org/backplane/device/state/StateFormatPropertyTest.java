package org.backplane.device.state;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HexFormat;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.backplane.device.DeviceException;

class StateFormatPropertyTest {
    @Provide
    Arbitrary<SavedState> states() {
        return states(3);
    }

    private static Arbitrary<SavedState> states(int depth) {
        Arbitrary<String> names = Arbitraries.strings().withChars("aé€.").ascii().ofMaxLength(12);
        Arbitrary<SavedState> children =
                depth == 1
                        ? Arbitraries.just(SavedState.of("leaf", 1).build())
                        : Arbitraries.lazy(() -> states(depth - 1));
        return Combinators.combine(
                        names,
                        Arbitraries.integers(),
                        Arbitraries.maps(names, Arbitraries.longs()).ofMaxSize(5),
                        Arbitraries.maps(names, Arbitraries.bytes().array(byte[].class))
                                .ofMaxSize(4),
                        Arbitraries.maps(names, children).ofMaxSize(3))
                .as(
                        (schema, version, numbers, bytes, nested) -> {
                            SavedState.Builder state = SavedState.of(schema, version);
                            numbers.forEach(state::number);
                            bytes.forEach(state::bytes);
                            nested.forEach(state::child);
                            return state.build();
                        });
    }

    @Property(tries = 300)
    void whatIsReadIsWhatWasWritten(@ForAll("states") SavedState state) throws DeviceException {
        byte[] bytes = StateFormat.encode(state);
        assertEquals(state, StateFormat.decode(bytes));
        assertArrayEquals(bytes, StateFormat.encode(StateFormat.decode(bytes)));
    }

    @Property(tries = 300)
    void truncatedIsRefused(
            @ForAll("states") SavedState state, @ForAll @IntRange(max = 1 << 20) int cut)
            throws DeviceException {
        byte[] bytes = StateFormat.encode(state);
        byte[] less = Arrays.copyOf(bytes, cut % bytes.length);
        assertSentence(assertThrows(DeviceException.class, () -> StateFormat.decode(less)));
    }

    /** A mutation is refused, or is another state with the same right to be read. */
    @Property(tries = 1000)
    void mutatedIsRefusedOrAnotherState(
            @ForAll("states") SavedState state,
            @ForAll @IntRange(max = 1 << 20) int place,
            @ForAll byte value)
            throws DeviceException {
        byte[] bytes = StateFormat.encode(state);
        byte was = bytes[place % bytes.length];
        bytes[place % bytes.length] = value;
        try {
            SavedState read = StateFormat.decode(bytes);
            if (was == value) {
                assertEquals(state, read);
            } else {
                assertNotEquals(state, read);
            }
        } catch (DeviceException refused) {
            assertSentence(refused);
        }
    }

    @Property(tries = 300)
    void noiseBehindAGoodBeginningIsRefusedOrRead(@ForAll byte[] noise) {
        byte[] bytes = new byte[6 + noise.length];
        System.arraycopy(new byte[] {'B', 'P', 'S', 'T', 0, 1}, 0, bytes, 0, 6);
        System.arraycopy(noise, 0, bytes, 6, noise.length);
        try {
            assertArrayEquals(bytes, StateFormat.encode(StateFormat.decode(bytes)));
        } catch (DeviceException refused) {
            assertSentence(refused);
        }
    }

    private static void assertSentence(DeviceException refusal) {
        assertTrue(refusal.getMessage().matches("(?s)[A-Z].*\\."), refusal.getMessage());
    }

    @Example
    void absurdLengthsTakeNoMemory() {
        for (int at : new int[] {0, 4, 8}) {
            byte[] bytes = new byte[6 + 2 + 4 + 12];
            System.arraycopy(new byte[] {'B', 'P', 'S', 'T', 0, 1}, 0, bytes, 0, 6);
            Arrays.fill(bytes, 12 + at, 12 + at + 4, (byte) 0x7f);
            assertSentence(assertThrows(DeviceException.class, () -> StateFormat.decode(bytes)));
        }
    }

    @Example
    void depthIsBounded() throws DeviceException {
        SavedState state = SavedState.of("leaf", 1).build();
        for (int depth = 1; depth < StateFormat.MAX_DEPTH; depth++) {
            state = SavedState.of("state", 1).child("inner", state).build();
        }
        assertEquals(state, StateFormat.decode(StateFormat.encode(state)));
        SavedState deeper = SavedState.of("state", 1).child("inner", state).build();
        assertSentence(assertThrows(DeviceException.class, () -> StateFormat.encode(deeper)));
    }

    /** Bytes that a writer without the bound could have made. */
    @Example
    void depthOfHostileBytesIsBounded() {
        int levels = 10_000;
        byte[] level = {0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0};
        byte[] bytes = new byte[6 + levels * level.length];
        System.arraycopy(new byte[] {'B', 'P', 'S', 'T', 0, 1}, 0, bytes, 0, 6);
        for (int i = 0; i < levels; i++) {
            System.arraycopy(level, 0, bytes, 6 + i * level.length, level.length);
        }
        assertSentence(assertThrows(DeviceException.class, () -> StateFormat.decode(bytes)));
    }

    @Example
    void newerFormatIsRefusedByItsNumber() throws DeviceException {
        byte[] bytes = StateFormat.encode(SavedState.of("state", 1).build());
        bytes[5] = 2;
        DeviceException refusal =
                assertThrows(DeviceException.class, () -> StateFormat.decode(bytes));
        assertEquals(
                "The saved state is in format 2; this code reads format 1.", refusal.getMessage());
    }

    @Example
    void namesThatAreNoTextOrTooLongAreNotWritten() {
        for (String name : new String[] {"\ud800", "n".repeat(StateFormat.MAX_NAME + 1)}) {
            SavedState state = SavedState.of("state", 1).number(name, 1).build();
            assertSentence(assertThrows(DeviceException.class, () -> StateFormat.encode(state)));
        }
    }

    /** Bytes as the first release writes them. */
    @Example
    void firstFormatIsStillRead() throws DeviceException {
        byte[] golden =
                HexFormat.of()
                        .parseHex(
                                "425053540001"
                                        + "0004726f6f7400000003"
                                        + "00000001"
                                        + "0006616e73776572000000000000002a"
                                        + "00000001"
                                        + "00046e616d65000000026869"
                                        + "00000001"
                                        + "00056368696c64"
                                        + "00046c65616600000001"
                                        + "000000000000000000000000");
        SavedState expected =
                SavedState.of("root", 3)
                        .number("answer", 42)
                        .bytes("name", new byte[] {'h', 'i'})
                        .child("child", SavedState.of("leaf", 1).build())
                        .build();
        assertEquals(expected, StateFormat.decode(golden));
        assertArrayEquals(golden, StateFormat.encode(expected));
    }
}
