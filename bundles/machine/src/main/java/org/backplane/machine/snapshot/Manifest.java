package org.backplane.machine.snapshot;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The first file of a snapshot to be read, in lines of plain text: which format the folder has,
 * what a host needs to know before it begins, and what the other files are. The state's digest is
 * here, the memory's are in the state: together they cover every byte.
 *
 * @param memory of the guest, in bytes
 * @param stateSize in bytes
 * @param stateDigest SHA-256, in hexadecimal
 * @param memorySize of the file of pages, in bytes
 */
record Manifest(long memory, int cpus, long stateSize, String stateDigest, long memorySize) {
    static final int FORMAT = 1;
    private static final String FORMAT_LINE = "backplane-snapshot";
    private static final Pattern LINE = Pattern.compile("([a-z0-9-]+) (\\S+)");

    /** A manifest that is of no use. */
    static final class Unreadable extends Exception {
        private static final long serialVersionUID = 1L;

        Unreadable(String message) {
            super(message);
        }
    }

    String text() {
        return """
                %s %d
                memory %d
                cpus %d
                state-bytes %d
                state-sha256 %s
                memory-bytes %d
                """
                .formatted(FORMAT_LINE, FORMAT, memory, cpus, stateSize, stateDigest, memorySize);
    }

    static Manifest of(String text) throws Unreadable {
        Map<String, String> values = new LinkedHashMap<>();
        for (String line : text.split("\n")) {
            var matcher = LINE.matcher(line);
            if (matcher.matches()) {
                values.put(matcher.group(1), matcher.group(2));
            }
        }
        String format = values.get(FORMAT_LINE);
        if (format != null
                && format.matches("[1-9][0-9]{0,8}")
                && !format.equals(Integer.toString(FORMAT))) {
            throw new Unreadable(
                    "it is of format %s, and this version reads format %d"
                            .formatted(format, FORMAT));
        }
        try {
            var manifest =
                    new Manifest(
                            Long.parseLong(values.getOrDefault("memory", "")),
                            Integer.parseInt(values.getOrDefault("cpus", "")),
                            Long.parseLong(values.getOrDefault("state-bytes", "")),
                            values.getOrDefault("state-sha256", ""),
                            Long.parseLong(values.getOrDefault("memory-bytes", "")));
            // What reads as a manifest but is not written like one was changed by somebody.
            if (manifest.text().equals(text)) {
                return manifest;
            }
        } catch (NumberFormatException e) {
            throw damaged(e);
        }
        throw damaged(null);
    }

    private static Unreadable damaged(Exception cause) {
        var unreadable = new Unreadable("its file 'manifest' is damaged");
        unreadable.initCause(cause);
        return unreadable;
    }
}
