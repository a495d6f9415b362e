package org.backplane.machine.board;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Builds a flattened devicetree blob, version 17 (Devicetree Specification 0.4, chapter 5). Not
 * thread-safe.
 */
final class FlattenedDeviceTree {
    private static final int MAGIC = 0xd00dfeed;
    private static final int VERSION = 17;
    private static final int LAST_COMPATIBLE_VERSION = 16;
    private static final int HEADER_SIZE = 40;
    private static final int RESERVATION_TERMINATOR_SIZE = 16;
    private static final int BEGIN_NODE = 1;
    private static final int END_NODE = 2;
    private static final int PROP = 3;
    private static final int END = 9;

    private final Node root = new Node("");

    Node root() {
        return root;
    }

    byte[] build() {
        var strings = new Strings();
        var structure = new ByteArrayOutputStream();
        root.write(structure, strings);
        cell(structure, END);
        byte[] names = strings.bytes.toByteArray();
        int structureOffset = HEADER_SIZE + RESERVATION_TERMINATOR_SIZE;
        int stringsOffset = structureOffset + structure.size();
        return ByteBuffer.allocate(stringsOffset + names.length)
                .putInt(MAGIC)
                .putInt(stringsOffset + names.length)
                .putInt(structureOffset)
                .putInt(stringsOffset)
                .putInt(HEADER_SIZE)
                .putInt(VERSION)
                .putInt(LAST_COMPATIBLE_VERSION)
                .putInt(0)
                .putInt(names.length)
                .putInt(structure.size())
                .putLong(0)
                .putLong(0)
                .put(structure.toByteArray())
                .put(names)
                .array();
    }

    private static void cell(ByteArrayOutputStream out, int value) {
        out.writeBytes(ByteBuffer.allocate(Integer.BYTES).putInt(value).array());
    }

    private static void pad(ByteArrayOutputStream out) {
        while (out.size() % Integer.BYTES != 0) {
            out.write(0);
        }
    }

    /** A node; properties and children keep the order in which they were added. */
    static final class Node {
        private final String name;
        private final Map<String, byte[]> properties = new LinkedHashMap<>();
        private final List<Node> children = new ArrayList<>();

        private Node(String name) {
            this.name = name;
        }

        Node child(String childName) {
            var child = new Node(childName);
            children.add(child);
            return child;
        }

        Node flag(String property) {
            properties.put(property, new byte[0]);
            return this;
        }

        Node cells(String property, int... values) {
            var buffer = ByteBuffer.allocate(values.length * Integer.BYTES);
            for (int value : values) {
                buffer.putInt(value);
            }
            properties.put(property, buffer.array());
            return this;
        }

        /** Pairs of cells: addresses and sizes where both take two. */
        Node longs(String property, long... values) {
            var buffer = ByteBuffer.allocate(values.length * Long.BYTES);
            for (long value : values) {
                buffer.putLong(value);
            }
            properties.put(property, buffer.array());
            return this;
        }

        Node text(String property, String... values) {
            var out = new ByteArrayOutputStream();
            for (String value : values) {
                out.writeBytes(value.getBytes(StandardCharsets.UTF_8));
                out.write(0);
            }
            properties.put(property, out.toByteArray());
            return this;
        }

        Node bytes(String property, byte[] value) {
            properties.put(property, value.clone());
            return this;
        }

        private void write(ByteArrayOutputStream out, Strings strings) {
            cell(out, BEGIN_NODE);
            out.writeBytes(name.getBytes(StandardCharsets.US_ASCII));
            out.write(0);
            pad(out);
            properties.forEach(
                    (property, value) -> {
                        cell(out, PROP);
                        cell(out, value.length);
                        cell(out, strings.offset(property));
                        out.writeBytes(value);
                        pad(out);
                    });
            children.forEach(child -> child.write(out, strings));
            cell(out, END_NODE);
        }
    }

    private static final class Strings {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private final Map<String, Integer> offsets = new LinkedHashMap<>();

        int offset(String name) {
            return offsets.computeIfAbsent(
                    name,
                    added -> {
                        int offset = bytes.size();
                        bytes.writeBytes(added.getBytes(StandardCharsets.US_ASCII));
                        bytes.write(0);
                        return offset;
                    });
        }
    }
}
