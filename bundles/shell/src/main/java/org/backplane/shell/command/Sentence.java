package org.backplane.shell.command;

import java.util.concurrent.CancellationException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Failures as one sentence without a stack; the whole of it is in the log. */
public final class Sentence {
    /** What Gogo says where a command of Felix's wants other words than were given. */
    private static final Pattern COERCION =
            Pattern.compile("Cannot coerce ([^\\s(]+)\\(.*?\\) to any.*");

    private static final Pattern NOT_FOUND = Pattern.compile("Command not found: (.*)");

    private Sentence() {}

    public static String of(Throwable failure) {
        if (failure instanceof InterruptedException || failure instanceof CancellationException) {
            return "Interrupted.";
        }
        String message = failure.getMessage();
        if (message == null || message.isBlank()) {
            Throwable cause = failure.getCause();
            return cause == null ? failure.getClass().getSimpleName() : of(cause);
        }
        String first = message.lines().findFirst().orElse(message);
        Matcher coercion = COERCION.matcher(first);
        if (coercion.matches()) {
            return "'%s' does not take these words; see: help %s"
                    .formatted(coercion.group(1), coercion.group(1));
        }
        Matcher unknown = NOT_FOUND.matcher(first);
        return unknown.matches()
                ? "There is no command '%s'; help lists them.".formatted(unknown.group(1))
                : first;
    }
}
