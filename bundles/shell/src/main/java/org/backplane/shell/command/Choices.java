package org.backplane.shell.command;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Words that may stand at a place of a command: for completion only, the command judges itself. */
@FunctionalInterface
public interface Choices {
    /** No suggestions: a new name, a number. */
    Choices FREE = typing -> List.of();

    /** The words there are now, in any order, whether they fit what is typed or not. */
    List<Choice> of(Typing typing);

    /**
     * What somebody is typing.
     *
     * @param before the words of this command that are complete, without flags
     * @param word what is there of the word to complete
     * @param folder that relative paths are meant from, or empty
     */
    record Typing(List<String> before, String word, Optional<Path> folder) {}

    /**
     * A word.
     *
     * @param meaning a few words shown beside it, or empty
     * @param whole whether a space may follow: not behind {@code path=} and {@code /tmp/}
     */
    record Choice(String word, String meaning, boolean whole) {
        public static Choice of(String word, String meaning) {
            return new Choice(word, meaning, true);
        }
    }

    static Choices words(String... words) {
        List<Choice> all = java.util.Arrays.stream(words).map(w -> Choice.of(w, "")).toList();
        return typing -> all;
    }
}
