package org.backplane.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.TreeSet;
import org.backplane.device.state.SavedState;

/**
 * States as released versions saved them, kept among a bundle's test resources: a properties file
 * with {@code schema}, {@code version}, {@code number.NAME}, {@code bytes.NAME} in hexadecimal, and
 * the same again behind {@code child.NAME.} for each child.
 */
public final class GoldenState {
    private static final String NUMBER = "number.";
    private static final String BYTES = "bytes.";
    private static final String CHILD = "child.";

    private GoldenState() {}

    /**
     * Reads a state.
     *
     * @param owner the class next to which the resource lies
     */
    public static SavedState read(Class<?> owner, String resource) {
        Properties lines = new Properties();
        try (InputStream in = owner.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalArgumentException(
                        "there is no " + resource + " next to " + owner.getName());
            }
            lines.load(in);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(resource, unreadable);
        }
        Map<String, String> entries = new TreeMap<>();
        lines.stringPropertyNames().forEach(name -> entries.put(name, lines.getProperty(name)));
        return state(entries);
    }

    /** The lines that make the state, ordered by name: for a new golden file. */
    public static String write(SavedState state) {
        StringBuilder text = new StringBuilder();
        write(state, "", text);
        return text.toString();
    }

    private static SavedState state(Map<String, String> entries) {
        SavedState.Builder state =
                SavedState.of(entries.get("schema"), Integer.parseInt(entries.get("version")));
        Map<String, Map<String, String>> children = new TreeMap<>();
        entries.forEach(
                (name, value) -> {
                    if (name.startsWith(NUMBER)) {
                        state.number(name.substring(NUMBER.length()), Long.parseLong(value));
                    } else if (name.startsWith(BYTES)) {
                        state.bytes(name.substring(BYTES.length()), HexFormat.of().parseHex(value));
                    } else if (name.startsWith(CHILD)) {
                        String rest = name.substring(CHILD.length());
                        int dot = rest.indexOf('.');
                        children.computeIfAbsent(rest.substring(0, dot), key -> new TreeMap<>())
                                .put(rest.substring(dot + 1), value);
                    }
                });
        children.forEach((name, child) -> state.child(name, state(child)));
        return state.build();
    }

    private static void write(SavedState state, String prefix, StringBuilder text) {
        line(text, prefix + "schema", state.schema());
        line(text, prefix + "version", Integer.toString(state.version()));
        state.numbers()
                .forEach((name, value) -> line(text, prefix + NUMBER + name, value.toString()));
        TreeSet<String> byteNames = new TreeSet<>();
        state.byteNames().forEach(byteNames::add);
        for (String name : byteNames) {
            line(text, prefix + BYTES + name, HexFormat.of().formatHex(state.bytes(name)));
        }
        state.children().forEach((name, child) -> write(child, prefix + CHILD + name + ".", text));
    }

    private static void line(StringBuilder text, String name, String value) {
        text.append(name).append('=').append(value).append('\n');
    }
}
