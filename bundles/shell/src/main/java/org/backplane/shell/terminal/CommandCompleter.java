package org.backplane.shell.terminal;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.backplane.shell.command.Catalogue;
import org.backplane.shell.command.Choices.Choice;
import org.backplane.shell.command.Choices.Typing;
import org.backplane.shell.command.Command;
import org.backplane.shell.command.Flag;
import org.backplane.shell.command.Parameter;
import org.jline.reader.Candidate;
import org.jline.reader.Completer;
import org.jline.reader.LineReader;
import org.jline.reader.ParsedLine;

/** Suggests commands, their flags and what may stand at their places. */
final class CommandCompleter implements Completer {
    /** Words that end a command of a line. */
    private static final Set<String> SEPARATORS = Set.of("|", "|&", ";", "&&", "||", "&");

    private static final String HELP = "help";

    private final Catalogue catalogue;
    private final Supplier<Collection<String>> known;
    private final Optional<Path> folder;

    /**
     * @param known the full names of all commands there are now
     * @param folder that relative paths are meant from
     */
    CommandCompleter(
            Catalogue catalogue, Supplier<Collection<String>> known, Optional<Path> folder) {
        this.catalogue = catalogue;
        this.known = known;
        this.folder = folder;
    }

    @Override
    public void complete(LineReader reader, ParsedLine line, List<Candidate> candidates) {
        List<String> words = line.words().subList(0, line.wordIndex());
        List<String> before = words.subList(begin(words), words.size());
        String typed = line.word();
        if (before.isEmpty()) {
            names(typed).forEach(candidates::add);
            return;
        }
        String name = before.get(0);
        if (name.equals(HELP) || name.endsWith(":" + HELP)) {
            names("").forEach(candidates::add);
            return;
        }
        catalogue
                .find(name)
                .ifPresent(
                        command ->
                                arguments(command, before.subList(1, before.size()), typed)
                                        .forEach(candidates::add));
    }

    private static int begin(List<String> words) {
        for (int i = words.size() - 1; i >= 0; i--) {
            if (SEPARATORS.contains(words.get(i))) {
                return i + 1;
            }
        }
        return 0;
    }

    /** By full name; by the name alone too once somebody types that. */
    private List<Candidate> names(String typed) {
        List<Candidate> names = new ArrayList<>();
        for (String full : new TreeSet<>(known.get())) {
            String name = full.substring(full.indexOf(':') + 1);
            String meaning = catalogue.find(full).map(Command::summary).orElse("");
            if (full.startsWith(Catalogue.VM + ":")) {
                names.add(candidate(Choice.of(full, meaning)));
            }
            if (!full.startsWith(Catalogue.VM + ":")
                    || !typed.isEmpty() && name.startsWith(typed)) {
                names.add(candidate(Choice.of(name, meaning)));
            }
        }
        return names;
    }

    /**
     * What stands before without flags and the words behind them; null right behind such a flag.
     */
    private static List<String> words(Command command, List<String> before) {
        List<String> words = new ArrayList<>();
        boolean value = false;
        for (String word : before) {
            if (value) {
                value = false;
            } else if (word.startsWith("--")) {
                value =
                        command.flags().stream()
                                .anyMatch(
                                        flag ->
                                                flag.name().equals(word)
                                                        && !flag.value().isEmpty());
            } else {
                words.add(word);
            }
        }
        return value ? null : words;
    }

    private List<Candidate> arguments(Command command, List<String> before, String typed) {
        if (typed.startsWith("-")) {
            return command.flags().stream()
                    .filter(flag -> !before.contains(flag.name()))
                    .map(CommandCompleter::candidate)
                    .toList();
        }
        List<String> filled = words(command, before);
        if (filled == null) {
            return List.of();
        }
        return command
                .parameter(filled.size())
                .map(Parameter::choices)
                .map(choices -> choices.of(new Typing(filled, typed, folder)))
                .orElse(List.of())
                .stream()
                .map(CommandCompleter::candidate)
                .toList();
    }

    private static Candidate candidate(Flag flag) {
        return candidate(Choice.of(flag.name(), flag.meaning()));
    }

    private static Candidate candidate(Choice choice) {
        return new Candidate(
                choice.word(),
                choice.word(),
                null,
                choice.meaning().isEmpty() ? null : choice.meaning(),
                null,
                null,
                choice.whole());
    }
}
