package org.backplane.shell.command;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What was typed behind a command's name. Commands take all of their arguments as words, so that a
 * wrong one is answered by a sentence and not by Gogo's list of methods.
 *
 * @param usage as in {@code vm:unplug [--force] SLOT}
 * @param flags that were given, each with the word behind it, empty for those that stand alone
 */
public record Arguments(String usage, List<String> words, Map<String, String> flags) {

    /**
     * Splits words from flags.
     *
     * @param known flags of the command: {@code --force}
     */
    static Arguments of(String usage, List<Flag> known, List<String> typed) throws ShellException {
        List<String> words = new ArrayList<>();
        Map<String, String> given = new LinkedHashMap<>();
        for (Iterator<String> left = typed.iterator(); left.hasNext(); ) {
            String word = left.next();
            if (!word.startsWith("--")) {
                words.add(word);
                continue;
            }
            Flag flag =
                    known.stream()
                            .filter(each -> each.name().equals(word))
                            .findFirst()
                            .orElseThrow(
                                    () ->
                                            new ShellException(
                                                    "There is no option '%s': %s."
                                                            .formatted(word, usage)));
            if (flag.value().isEmpty()) {
                given.put(word, "");
            } else if (left.hasNext()) {
                given.put(word, left.next());
            } else {
                throw new ShellException(
                        "The option '%s' needs a word behind it: %s.".formatted(word, usage));
            }
        }
        return new Arguments(usage, words, given);
    }

    Arguments count(int least, int most) throws ShellException {
        if (words.size() < least) {
            throw new ShellException("Something is missing: %s.".formatted(usage));
        }
        if (words.size() > most) {
            throw new ShellException("'%s' is too much: %s.".formatted(words.get(most), usage));
        }
        return this;
    }

    public boolean has(String flag) {
        return flags.containsKey(flag);
    }

    /**
     * The number behind a flag.
     *
     * @param otherwise if the flag was not given
     */
    public int number(String flag, int otherwise, int least, int most) throws ShellException {
        String typed = flags.get(flag);
        if (typed == null) {
            return otherwise;
        }
        if (typed.matches("[0-9]{1,9}")) {
            int number = Integer.parseInt(typed);
            if (number >= least && number <= most) {
                return number;
            }
        }
        throw new ShellException(
                "'%s %s' is no number from %d to %d: %s."
                        .formatted(flag, typed, least, most, usage));
    }

    /** The word at a place that must be filled. */
    public String word(int place) {
        return words.get(place);
    }

    /** The word at a place that may be empty. */
    public Optional<String> optional(int place) {
        return place < words.size() ? Optional.of(words.get(place)) : Optional.empty();
    }

    /** A folder by its whole path, or one below the folder that relative paths are meant from. */
    public Path path(int place, Optional<Path> from) throws ShellException {
        String typed = words.get(place);
        try {
            Path path = Path.of(typed);
            if (path.isAbsolute() || from.isPresent()) {
                return from.map(folder -> folder.resolve(path)).orElse(path).normalize();
            }
        } catch (InvalidPathException e) {
            throw new ShellException(
                    "'%s' is no path, %s: %s.".formatted(typed, e.getReason(), usage));
        }
        throw new ShellException(
                "'%s' is not a whole path, give it from '/' on: %s.".formatted(typed, usage));
    }

    /** The words from there on as settings, {@code key=value}; a word alone is {@code true}. */
    public Map<String, String> settings(int from) throws ShellException {
        Map<String, String> settings = new LinkedHashMap<>();
        for (String word : words.subList(from, words.size())) {
            int equals = word.indexOf('=');
            String key = equals < 0 ? word : word.substring(0, equals);
            String value = equals < 0 ? "true" : word.substring(equals + 1);
            if (key.isEmpty()) {
                throw new ShellException(
                        "The setting '%s' has no name: %s.".formatted(word, usage));
            }
            if (settings.put(key, value) != null) {
                throw new ShellException(
                        "The setting '%s' is there twice: %s.".formatted(key, usage));
            }
        }
        return settings;
    }
}
