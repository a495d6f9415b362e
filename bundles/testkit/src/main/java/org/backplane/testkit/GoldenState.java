package org.backplane.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.backplane.device.state.SavedState;

/**
 * States as released versions saved them, kept among a bundle's test resources: a text file of
 * lines {@code schema=}, {@code version=}, {@code number.NAME=}, {@code bytes.NAME=} in
 * hexadecimal, and the same again behind {@code child.NAME.} for each child, numbers before byte
 * strings before children and each by name. Equal states are equal bytes.
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
        Map<String, String> entries = new TreeMap<>();
        text(owner, resource)
                .lines()
                .forEach(
                        line -> {
                            int sign = line.indexOf('=');
                            if (sign < 0) {
                                throw new IllegalArgumentException(resource + ": " + line);
                            }
                            entries.put(line.substring(0, sign), line.substring(sign + 1));
                        });
        return state(entries);
    }

    /**
     * Fails unless a state is written down just as the golden file has it: what is saved can then
     * not change unseen. Where it is meant to change, the version counts on, the file stays, and
     * the text in the message is the file of the new version.
     *
     * @param owner the class next to which the resource lies
     * @param state of a device in the situation that the file was made from
     */
    public static void requireSame(Class<?> owner, String resource, SavedState state) {
        String then = text(owner, resource);
        String now = write(state);
        if (!then.equals(now)) {
            throw new AssertionError(
                    """
                    What is saved is not what %s says. If that is meant, count the schema's version \
                    on, keep the file, and save this next to it:
                    %s
                    The file has:
                    %s"""
                            .formatted(resource, now, then));
        }
    }

    private static String text(Class<?> owner, String resource) {
        try (InputStream in = owner.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalArgumentException(
                        "there is no " + resource + " next to " + owner.getName());
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(resource, unreadable);
        }
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
