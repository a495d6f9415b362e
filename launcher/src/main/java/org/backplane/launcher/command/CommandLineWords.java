package org.backplane.launcher.command;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.backplane.launcher.option.Problems;
import picocli.CommandLine;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.OverwrittenOptionException;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns what picocli found wrong with the words of a command line into our sentences. */
public final class CommandLineWords {
    private CommandLineWords() {}

    /**
     * Parses a command line, and adds a sentence for everything that is wrong with its words.
     *
     * @param root whose subcommands collect errors
     * @param words the first is a subcommand
     * @return the subcommand
     */
    public static Command parse(CommandLine root, List<String> words, Problems problems) {
        CommandLine command = root.getSubcommands().get(words.get(0));
        List<String> whole = new ArrayList<>(words.subList(0, 1));
        whole.addAll(
                withoutOptionsThatLackTheirValue(
                        command, words.subList(1, words.size()), problems));
        ParseResult parsed = root.parseArgs(whole.toArray(String[]::new)).subcommand();
        report(parsed.errors(), problems);
        return command.getCommand();
    }

    /** After an option without its value, picocli would lose the option that stands there. */
    private static List<String> withoutOptionsThatLackTheirValue(
            CommandLine command, List<String> words, Problems problems) {
        Map<String, OptionSpec> options = command.getCommandSpec().optionsMap();
        List<String> whole = new ArrayList<>();
        for (int i = 0; i < words.size(); i++) {
            OptionSpec option = options.get(words.get(i));
            if (option == null && !words.get(i).startsWith("-") && command.isStopAtPositional()) {
                whole.addAll(words.subList(i, words.size()));
                break;
            }
            boolean takesValue = option != null && option.arity().min() > 0;
            if (takesValue && i + 1 < words.size() && options.containsKey(words.get(i + 1))) {
                problems.add(lacksItsValue(option));
                continue;
            }
            whole.add(words.get(i));
            if (takesValue && i + 1 < words.size()) {
                whole.add(words.get(++i));
            }
        }
        return whole;
    }

    private static String lacksItsValue(OptionSpec option) {
        String name = option.longestName();
        return name + " has no value; give " + name + " " + option.paramLabel();
    }

    /** Adds a sentence for everything that picocli found wrong. */
    private static void report(List<Exception> errors, Problems problems) {
        for (Exception error : errors) {
            if (error instanceof UnmatchedArgumentException unmatched) {
                unmatched(unmatched, problems);
            } else if (error instanceof OverwrittenOptionException overwritten) {
                problems.add(
                        ((OptionSpec) overwritten.getOverwritten()).longestName()
                                + " is given twice; give it once");
            } else if (error instanceof MissingParameterException missing) {
                for (ArgSpec argument : missing.getMissing()) {
                    problems.add(
                            argument instanceof OptionSpec option
                                    ? lacksItsValue(option)
                                    : argument.paramLabel()
                                            + " is missing, "
                                            + clause(argument.description())
                                            + "; see: backplane help "
                                            + missing.getCommandLine().getCommandName());
                }
            } else if (error instanceof ParameterException other && other.getArgSpec() != null) {
                problems.add(other.getMessage());
            } else {
                problems.add(String.valueOf(error.getMessage()));
            }
        }
    }

    /** The description of a word, which is a sentence, in the middle of another. */
    private static String clause(String[] description) {
        String sentence = String.join(" ", description);
        return Character.toLowerCase(sentence.charAt(0))
                + sentence.substring(1).replaceFirst("\\.$", "");
    }

    private static void unmatched(UnmatchedArgumentException error, Problems problems) {
        CommandLine command = error.getCommandLine();
        String help = "; see: backplane help " + command.getCommandName();
        boolean afterUnknownOption = false;
        for (String word : error.getUnmatched()) {
            if (word.startsWith("-") && word.length() > 1) {
                String name = word.split("=", 2)[0];
                problems.add(
                        name
                                + " is no option of "
                                + command.getCommandName()
                                + near(command, name)
                                + help);
                afterUnknownOption = !word.contains("=");
            } else {
                if (!afterUnknownOption) {
                    problems.add(
                            "'"
                                    + word
                                    + "' is unexpected: "
                                    + command.getCommandName()
                                    + " takes only "
                                    + taken(command)
                                    + help);
                }
                afterUnknownOption = false;
            }
        }
    }

    private static String taken(CommandLine command) {
        List<String> taken = new ArrayList<>();
        command.getCommandSpec()
                .positionalParameters()
                .forEach(positional -> taken.add("one " + positional.paramLabel()));
        taken.add("options");
        return String.join(" and ", taken);
    }

    private static String near(CommandLine command, String name) {
        List<String> near = new ArrayList<>();
        String bare = name.replaceFirst("^-+", "");
        int best = (bare.length() + 1) / 3;
        for (OptionSpec option : command.getCommandSpec().options()) {
            if (bare.length() > 2 && option.longestName().startsWith("--" + bare)) {
                return "; did you mean " + option.longestName() + "?";
            }
            int distance = distance(option.longestName(), name);
            if (distance < best) {
                near.clear();
            }
            if (distance <= best) {
                best = distance;
                near.add(option.longestName());
            }
        }
        return near.isEmpty() ? "" : "; did you mean " + String.join(" or ", near) + "?";
    }

    /** Levenshtein's distance. */
    static int distance(String a, String b) {
        int[] previous = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            previous[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int[] row = new int[b.length() + 1];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replace = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(replace, 1 + Math.min(previous[j], row[j - 1]));
            }
            previous = row;
        }
        return previous[b.length()];
    }
}
