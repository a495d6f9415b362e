package org.backplane.pci;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.HexFormat;
import java.util.Properties;
import org.backplane.device.state.SavedState;

/** States as released versions saved them: properties, byte strings in hexadecimal. */
final class GoldenState {
    private static final String NUMBER = "number.";
    private static final String BYTES = "bytes.";

    private GoldenState() {}

    static SavedState read(String resource) {
        Properties lines = new Properties();
        try (InputStream in = GoldenState.class.getResourceAsStream(resource)) {
            lines.load(in);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(resource, unreadable);
        }
        SavedState.Builder state =
                SavedState.of(
                        lines.getProperty("schema"),
                        Integer.parseInt(lines.getProperty("version")));
        for (String name : lines.stringPropertyNames()) {
            String value = lines.getProperty(name);
            if (name.startsWith(NUMBER)) {
                state.number(name.substring(NUMBER.length()), Long.parseLong(value));
            } else if (name.startsWith(BYTES)) {
                state.bytes(name.substring(BYTES.length()), HexFormat.of().parseHex(value));
            }
        }
        return state.build();
    }
}
