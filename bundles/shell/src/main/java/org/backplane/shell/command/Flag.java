package org.backplane.shell.command;

/**
 * A word that changes what a command does.
 *
 * @param name with its dashes: {@code --force}
 * @param meaning half a sentence for the help
 */
public record Flag(String name, String meaning) {
    /** That every command of ours takes. */
    static final Flag JSON = new Flag("--json", "the answer as one line of JSON");

    static final Flag HELP = new Flag("--help", "this help; nothing is done");
}
