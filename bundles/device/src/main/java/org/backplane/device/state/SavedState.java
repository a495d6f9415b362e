package org.backplane.device.state;

import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import org.backplane.device.DeviceException;

/**
 * A device's state: a schema name and version, and named numbers, byte strings and children.
 * Readers ignore unknown names and give a default for missing ones. Immutable.
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

    /** A copy, or null. */
    public byte[] bytes(String name) {
        byte[] value = bytes.get(name);
        return value == null ? null : value.clone();
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
     * Checks what every reader checks first.
     *
     * @param newest the highest version that the reader knows
     */
    public void require(String expected, int newest) throws DeviceException {
        if (!schema.equals(expected)) {
            throw new DeviceException(
                    "The state is of '%s', not of '%s'.".formatted(schema, expected));
        }
        if (version < 1 || version > newest) {
            throw new DeviceException(
                    "The state of '%s' has version %d; this code reads 1 to %d."
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

    /** Collects a state. Not thread-safe. */
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
            children.put(name, value);
            return this;
        }

        public SavedState build() {
            return new SavedState(this);
        }
    }
}
