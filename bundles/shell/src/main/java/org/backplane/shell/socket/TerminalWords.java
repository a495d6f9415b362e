package org.backplane.shell.socket;

import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.backplane.machine.terminal.TerminalLine;
import org.backplane.machine.terminal.TerminalSize;
import org.backplane.shell.command.ShellException;

/** How a client describes its terminal: docs/launcher.md, "The shell's socket". */
final class TerminalWords {
    private static final Pattern DESCRIPTION =
            Pattern.compile("(\\S{1,64}) (\\d{1,5}) (\\d{1,5})(?: (.+))?");
    private static final Pattern SIZE = Pattern.compile("(\\d{1,5}) (\\d{1,5})");

    private TerminalWords() {}

    /** Reads {@code TYPE COLUMNS ROWS [FOLDER]}. */
    static TerminalLine line(String description, InputStream in, OutputStream out)
            throws ShellException {
        Matcher words = DESCRIPTION.matcher(description);
        if (!words.matches()) {
            throw new ShellException(
                    "'%s' describes no terminal: terminal TYPE COLUMNS ROWS [FOLDER]."
                            .formatted(description));
        }
        return new TerminalLine(
                in,
                out,
                words.group(1),
                size(words.group(2), words.group(3)),
                Optional.ofNullable(words.group(4)).flatMap(TerminalWords::folder));
    }

    /** Reads {@code COLUMNS ROWS}. */
    static Optional<TerminalSize> size(String text) {
        Matcher words = SIZE.matcher(text);
        return words.matches()
                ? Optional.of(size(words.group(1), words.group(2)))
                : Optional.empty();
    }

    private static TerminalSize size(String columns, String rows) {
        return new TerminalSize(Integer.parseInt(columns), Integer.parseInt(rows));
    }

    private static Optional<Path> folder(String text) {
        try {
            return Optional.of(Path.of(text)).filter(Path::isAbsolute);
        } catch (InvalidPathException e) {
            // Only relative paths need it, and those are told to be whole then.
            return Optional.empty();
        }
    }
}
