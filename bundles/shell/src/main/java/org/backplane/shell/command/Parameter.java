package org.backplane.shell.command;

/**
 * A place for a word behind a command.
 *
 * @param name as in the usage: {@code SLOT}
 * @param choices what may stand there
 */
public record Parameter(String name, Times times, Choices choices) {
    /** How often the place is filled. */
    public enum Times {
        ONCE,
        AT_MOST_ONCE,
        ANY
    }

    /** As in a usage: {@code SLOT}, {@code [VERSION]}, {@code [KEY=VALUE...]}. */
    String usage() {
        return switch (times) {
            case ONCE -> name;
            case AT_MOST_ONCE -> "[" + name + "]";
            case ANY -> "[" + name + "...]";
        };
    }
}
