package org.backplane.shell.command;

/**
 * A word that changes what a command does.
 *
 * @param name with its dashes: {@code --force}
 * @param value what the word behind it says, as in a usage: {@code S}; empty if it stands alone
 * @param meaning half a sentence for the help
 */
public record Flag(String name, String value, String meaning) {
    Flag(String name, String meaning) {
        this(name, "", meaning);
    }

    /** As in a usage: {@code --timeout S}. */
    String usage() {
        return value.isEmpty() ? name : name + " " + value;
    }

    /** That every command of ours takes. */
    static final Flag JSON = new Flag("--json", "the answer as one line of JSON");

    static final Flag HELP = new Flag("--help", "this help; nothing is done");
}
