package org.backplane.testkit;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.backplane.device.state.SavedState;

/**
 * A state that somebody or something got at. A reader refuses it, or takes it where the change made
 * it another state that its device could have been in.
 *
 * @param what the change, for messages: {@code child.queue0.number.size=32}
 * @param state the whole state with the change
 * @param missing whether the change was to leave a name out, which gets a default
 */
public record DamagedState(String what, SavedState state, boolean missing) {
    private static final int FLIPPED = 64;

    /** One change each, everywhere in the state and its children, schemas and versions included. */
    public static List<DamagedState> of(SavedState whole) {
        List<DamagedState> damaged = new ArrayList<>();
        collect(whole, "", UnaryOperator.identity(), damaged);
        return damaged;
    }

    private static void collect(
            SavedState part,
            String prefix,
            UnaryOperator<SavedState> within,
            List<DamagedState> damaged) {
        add(damaged, prefix + "schema", within.apply(copy(part, "invented", part.version())));
        for (int version : new int[] {0, -1, part.version() + 1, Integer.MAX_VALUE}) {
            add(
                    damaged,
                    prefix + "version=" + version,
                    within.apply(copy(part, part.schema(), version)));
        }
        part.numbers()
                .forEach(
                        (name, value) -> {
                            for (long other : others(value)) {
                                add(
                                        damaged,
                                        prefix + "number." + name + "=" + other,
                                        within.apply(copy(part).number(name, other).build()));
                            }
                        });
        for (String name : part.byteNames()) {
            for (byte[] other : others(part.bytes(name))) {
                add(
                        damaged,
                        prefix + "bytes." + name + " with " + other.length + " bytes",
                        within.apply(copy(part).bytes(name, other).build()));
            }
        }
        for (String name : names(part)) {
            damaged.add(
                    new DamagedState(
                            prefix + name + " missing", within.apply(without(part, name)), true));
        }
        part.children()
                .forEach(
                        (name, child) ->
                                collect(
                                        child,
                                        prefix + "child." + name + ".",
                                        changed ->
                                                within.apply(
                                                        copy(part).child(name, changed).build()),
                                        damaged));
    }

    private static void add(List<DamagedState> damaged, String what, SavedState state) {
        damaged.add(new DamagedState(what, state, false));
    }

    private static Set<Long> others(long value) {
        Set<Long> others =
                new LinkedHashSet<>(
                        List.of(
                                0L,
                                1L,
                                2L,
                                -1L,
                                value + 1,
                                value - 1,
                                -1 - value,
                                Long.MIN_VALUE,
                                Long.MAX_VALUE));
        for (int bit = 0; bit < Long.SIZE; bit++) {
            others.add(value ^ 1L << bit);
        }
        others.remove(value);
        return others;
    }

    private static List<byte[]> others(byte[] value) {
        List<byte[]> others = new ArrayList<>();
        if (value.length > 0) {
            others.add(new byte[0]);
            others.add(Arrays.copyOf(value, value.length - 1));
            others.add(Arrays.copyOf(value, value.length / 2));
        }
        others.add(Arrays.copyOf(value, value.length + 1));
        others.add(Arrays.copyOf(value, 2 * value.length + 64));
        for (int bit = 0; bit < Math.min(FLIPPED, value.length) * Byte.SIZE; bit++) {
            byte[] flipped = value.clone();
            flipped[bit / Byte.SIZE] ^= (byte) (1 << bit % Byte.SIZE);
            others.add(flipped);
        }
        return others;
    }

    /** Any number of values changed at random; schemas and versions are left. */
    public static DamagedState random(SavedState whole, Random random) {
        SavedState state = scrambled(whole, random);
        return new DamagedState(GoldenState.write(state), state, false);
    }

    private static SavedState scrambled(SavedState state, Random random) {
        SavedState.Builder copy = SavedState.of(state.schema(), state.version());
        state.numbers().forEach((name, value) -> copy.number(name, scrambled(value, random)));
        for (String name : state.byteNames()) {
            copy.bytes(name, scrambled(state.bytes(name), random));
        }
        state.children().forEach((name, child) -> copy.child(name, scrambled(child, random)));
        return copy.build();
    }

    private static long scrambled(long value, Random random) {
        return switch (random.nextInt(6)) {
            case 1 -> random.nextLong();
            case 2 -> random.nextInt(0x1_0001);
            case 3 -> value ^ 1L << random.nextInt(64);
            case 4 -> -1 - value;
            default -> value;
        };
    }

    private static byte[] scrambled(byte[] value, Random random) {
        if (random.nextBoolean()) {
            return value;
        }
        byte[] other = new byte[random.nextInt(2 * value.length + 40)];
        random.nextBytes(other);
        return other;
    }

    /** The names of numbers, byte strings and children. */
    static Set<String> names(SavedState state) {
        Set<String> names = new LinkedHashSet<>(state.numbers().keySet());
        state.byteNames().forEach(names::add);
        names.addAll(state.children().keySet());
        return names;
    }

    /** A builder that begins with everything that a state holds. */
    public static SavedState.Builder copy(SavedState state) {
        return builder(state, state.schema(), state.version(), "");
    }

    private static SavedState copy(SavedState state, String schema, int version) {
        return builder(state, schema, version, "").build();
    }

    /** The state without the number, byte string or child of that name. */
    public static SavedState without(SavedState state, String name) {
        return builder(state, state.schema(), state.version(), name).build();
    }

    private static SavedState.Builder builder(
            SavedState state, String schema, int version, String leftOut) {
        SavedState.Builder copy = SavedState.of(schema, version);
        state.numbers().entrySet().stream()
                .filter(entry -> !entry.getKey().equals(leftOut))
                .forEach(entry -> copy.number(entry.getKey(), entry.getValue()));
        for (String name : state.byteNames()) {
            if (!name.equals(leftOut)) {
                copy.bytes(name, state.bytes(name));
            }
        }
        state.children().entrySet().stream()
                .filter(entry -> !entry.getKey().equals(leftOut))
                .forEach(entry -> copy.child(entry.getKey(), entry.getValue()));
        return copy;
    }
}
