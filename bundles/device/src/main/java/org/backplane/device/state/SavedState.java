package org.backplane.device.state;

import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.backplane.device.DeviceException;

/**
 * A device's state: a schema name and version, and named numbers, byte strings and children; never
 * a class of a bundle, because the reader is other code than the writer. Immutable.
 *
 * <p>The schema names what the state is of, the version how it is written down: it counts on with
 * every change of a name or of a value's meaning. A reader reads its own version and all earlier
 * ones, ignores names it does not know, gives a default for those that are missing, and refuses
 * every value that its device could not have come to. The checks of a reader are here, with their
 * sentences; docs/save-state.md has the rules and an example.
 */
public final class SavedState {
    private final String schema;
    private final int version;
    private final Map<String, Long> numbers;
    private final Map<String, byte[]> bytes;
    private final Map<String, SavedState> children;

    private SavedState(Builder from) {
        schema = from.schema;
        version = from.version;
        numbers = Collections.unmodifiableMap(new TreeMap<>(from.numbers));
        bytes = new TreeMap<>(from.bytes);
        children = Collections.unmodifiableMap(new TreeMap<>(from.children));
    }

    /**
     * @param schema what it is a state of: the kind of the device, or of its part
     * @param version of the schema, from 1 on
     */
    public static Builder of(String schema, int version) {
        return new Builder(schema, version);
    }

    public String schema() {
        return schema;
    }

    public int version() {
        return version;
    }

    public long number(String name, long otherwise) {
        return numbers.getOrDefault(name, otherwise);
    }

    /**
     * A number within bounds.
     *
     * @throws DeviceException it is there, and outside of them
     */
    public long number(String name, long otherwise, long least, long most) throws DeviceException {
        long value = number(name, otherwise);
        if (numbers.containsKey(name) && (value < least || value > most)) {
            throw damaged("'%s' is %d, and only %d to %d are possible", name, value, least, most);
        }
        return value;
    }

    /**
     * A number that is 0 or 1.
     *
     * @throws DeviceException it is another
     */
    public boolean flag(String name, boolean otherwise) throws DeviceException {
        return number(name, otherwise ? 1 : 0, 0, 1) != 0;
    }

    /** A copy, or null. */
    public byte[] bytes(String name) {
        byte[] value = bytes.get(name);
        return value == null ? null : value.clone();
    }

    /**
     * A byte string of a length within bounds: a copy, or null if it is missing.
     *
     * @param least in bytes
     * @param most in bytes
     * @throws DeviceException it is shorter or longer
     */
    public byte[] bytes(String name, int least, int most) throws DeviceException {
        byte[] value = bytes.get(name);
        if (value == null) {
            return null;
        }
        if (value.length < least || value.length > most) {
            throw damaged(
                    "'%s' has %d bytes, and only %d to %d are possible",
                    name, value.length, least, most);
        }
        return value.clone();
    }

    /** The child, or null. */
    public SavedState child(String name) {
        return children.get(name);
    }

    public Map<String, Long> numbers() {
        return numbers;
    }

    public Map<String, SavedState> children() {
        return children;
    }

    /** The names of the byte strings. */
    public Iterable<String> byteNames() {
        return Collections.unmodifiableSet(bytes.keySet());
    }

    /** How much it holds, in bytes: 8 for a number, what byte strings have; children included. */
    public long size() {
        return Long.BYTES * (long) numbers.size()
                + bytes.values().stream().mapToLong(value -> value.length).sum()
                + children.values().stream().mapToLong(SavedState::size).sum();
    }

    /**
     * The refusal of a reader: a sentence with schema, version and what is wrong. To be thrown.
     *
     * @param format of what is wrong, a clause without a full stop
     */
    public DeviceException damaged(String format, Object... values) {
        return new DeviceException(
                "The state of '%s', version %d, is damaged or of another device: %s."
                        .formatted(schema, version, format.formatted(values)));
    }

    /**
     * Checks what every reader checks first.
     *
     * @param newest the highest version that the reader knows; it knows all from 1 on
     * @throws DeviceException the state is of another schema, or a newer version
     */
    public void require(String expected, int newest) throws DeviceException {
        if (!schema.equals(expected)) {
            throw new DeviceException(
                    "The state is of '%s', not of '%s'.".formatted(schema, expected));
        }
        if (version < 1) {
            throw damaged("versions begin with 1");
        }
        if (version > newest) {
            throw new DeviceException(
                    "The state of '%s' has version %d and this code reads %d at most; newer code saved it, and reads it."
                            .formatted(schema, version, newest));
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SavedState that
                && schema.equals(that.schema)
                && version == that.version
                && numbers.equals(that.numbers)
                && children.equals(that.children)
                && bytes.keySet().equals(that.bytes.keySet())
                && bytes.keySet().stream()
                        .allMatch(name -> Arrays.equals(bytes.get(name), that.bytes.get(name)));
    }

    @Override
    public int hashCode() {
        return schema.hashCode() * 31 + numbers.hashCode();
    }

    @Override
    public String toString() {
        return schema + " v" + version + " " + numbers + " " + children;
    }

    /** Collects a state; a name given twice has its last value. Not thread-safe. */
    public static final class Builder {
        private final String schema;
        private final int version;
        private final Map<String, Long> numbers = new TreeMap<>();
        private final Map<String, byte[]> bytes = new TreeMap<>();
        private final Map<String, SavedState> children = new TreeMap<>();

        private Builder(String schema, int version) {
            this.schema = schema;
            this.version = version;
        }

        public Builder number(String name, long value) {
            numbers.put(name, value);
            return this;
        }

        public Builder bytes(String name, byte[] value) {
            bytes.put(name, value.clone());
            return this;
        }

        public Builder child(String name, SavedState value) {
            children.put(name, Objects.requireNonNull(value, name));
            return this;
        }

        public SavedState build() {
            return new SavedState(this);
        }
    }
}
