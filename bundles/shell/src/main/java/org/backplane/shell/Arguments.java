package org.backplane.shell;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What was typed behind a command's name. Commands take all of their arguments as words, so that a
 * wrong one is answered by a sentence and not by Gogo's list of methods.
 *
 * @param usage as in {@code vm:unplug [--force] SLOT}
 */
record Arguments(String usage, List<String> words, Set<String> flags) {

    /**
     * Splits words from flags.
     *
     * @param flags that the command knows: {@code --force}
     */
    static Arguments of(String usage, Set<String> flags, String... typed) throws ShellException {
        List<String> words = new ArrayList<>();
        Set<String> given = new LinkedHashSet<>();
        for (String word : typed) {
            if (!word.startsWith("--")) {
                words.add(word);
            } else if (flags.contains(word)) {
                given.add(word);
            } else {
                throw new ShellException("There is no option '%s': %s.".formatted(word, usage));
            }
        }
        return new Arguments(usage, words, given);
    }

    static void none(String usage, String... typed) throws ShellException {
        of(usage, Set.of(), typed).count(0, 0);
    }

    /** The only word. */
    static String one(String usage, String... typed) throws ShellException {
        return of(usage, Set.of(), typed).count(1, 1).words.get(0);
    }

    /** A folder by its whole path: the machine does not know where the user is. */
    static Path folder(String usage, String typed) throws ShellException {
        try {
            Path folder = Path.of(typed);
            if (folder.isAbsolute()) {
                return folder.normalize();
            }
        } catch (InvalidPathException e) {
            throw new ShellException(
                    "'%s' is no path, %s: %s.".formatted(typed, e.getReason(), usage));
        }
        throw new ShellException(
                "'%s' is not a whole path, give it from '/' on: %s.".formatted(typed, usage));
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

    boolean has(String flag) {
        return flags.contains(flag);
    }

    /** The words from there on as settings, {@code key=value}; a word alone is {@code true}. */
    Map<String, String> settings(int from) throws ShellException {
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
