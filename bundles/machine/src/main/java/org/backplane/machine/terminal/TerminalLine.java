package org.backplane.machine.terminal;

import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A terminal as a pair of byte streams. The far end is raw: it sends every key as it is pressed,
 * Ctrl-C as the byte 3, and does not echo; the shell echoes and edits.
 *
 * @param in what is typed; its end ends the session. Read by one thread of the shell's; closed by
 *     whoever opened it
 * @param out what is shown, line ends as CR LF; written and flushed by several threads at once,
 *     never closed by the shell. A write may block: it holds up this session only
 * @param type as in {@code TERM}; an unknown one, and anything that is no name, is {@code dumb}
 * @param size when the session begins
 * @param folder that relative paths are meant from, or empty
 */
public record TerminalLine(
        InputStream in, OutputStream out, String type, TerminalSize size, Optional<Path> folder) {
    /** Cannot move its cursor. */
    public static final String DUMB = "dumb";
}
