package org.backplane.launcher.guest;

import java.io.IOException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A file of the archive, as {@code apt-get --print-uris download} says it.
 *
 * @param file name to store it under
 * @param size in bytes
 * @param sha256 lower-case hexadecimal, from the index whose signature apt checked
 */
record Package(String uri, String file, long size, String sha256) {
    private static final Pattern LINE =
            Pattern.compile("'([^']+)' ([^ /]+\\.deb) (\\d+) SHA256:([0-9a-f]{64})");

    /** Reads a line. */
    static Package parse(String line) throws IOException {
        Matcher matcher = LINE.matcher(line.strip());
        if (!matcher.matches()) {
            throw new IOException("apt-get named a package in a form unknown here: " + line);
        }
        return new Package(
                matcher.group(1),
                matcher.group(2),
                Long.parseLong(matcher.group(3)),
                matcher.group(4));
    }

    /** The line that {@link #parse} reads. */
    String line() {
        return "'" + uri + "' " + file + " " + size + " SHA256:" + sha256;
    }

    String name() {
        return file.substring(0, file.indexOf('_'));
    }
}
