package org.backplane.shell.command;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.backplane.shell.command.Parameter.Times;

/**
 * A command with all that belongs to it: what it takes, what it does, how it is explained and how
 * its words are completed. Immutable.
 */
public final class Command {
    /** What a command does. Returns a report, an {@link Answer}, a text, or null. */
    @FunctionalInterface
    public interface Action {
        Object run(Call call) throws Exception;
    }

    private final String scope;
    private final String name;
    private final String summary;
    private final List<Flag> flags;
    private final List<Parameter> parameters;
    private final List<String> remarks;
    private final String example;
    private final Action action;

    private Command(Builder from, Action action) {
        scope = from.scope;
        name = from.name;
        summary = from.summary;
        flags = List.copyOf(from.flags);
        parameters = List.copyOf(from.parameters);
        remarks = List.copyOf(from.remarks);
        example = from.example;
        this.action = action;
    }

    /** Begins a command: {@code vm:unplug}. */
    public static Builder named(String name) {
        return new Builder(name);
    }

    /** Puts a command together; ends with {@link #runs}. */
    public static final class Builder {
        private final String scope;
        private final String name;
        private final List<Flag> flags = new ArrayList<>();
        private final List<Parameter> parameters = new ArrayList<>();
        private final List<String> remarks = new ArrayList<>();
        private String summary = "";
        private String example = "";

        private Builder(String fullName) {
            int colon = fullName.indexOf(':');
            scope = fullName.substring(0, colon);
            name = fullName.substring(colon + 1);
        }

        /** Half a sentence. */
        public Builder does(String what) {
            summary = what;
            return this;
        }

        /** A sentence more for the help. */
        public Builder remark(String sentence) {
            remarks.add(sentence);
            return this;
        }

        public Builder flag(String flag, String meaning) {
            flags.add(new Flag(flag, meaning));
            return this;
        }

        /** A flag with a word behind it: {@code --timeout S}. */
        public Builder flag(String flag, String value, String meaning) {
            flags.add(new Flag(flag, value, meaning));
            return this;
        }

        /** A word that must be there. */
        public Builder word(String word, Choices choices) {
            parameters.add(new Parameter(word, Times.ONCE, choices));
            return this;
        }

        public Builder optional(String word, Choices choices) {
            parameters.add(new Parameter(word, Times.AT_MOST_ONCE, choices));
            return this;
        }

        /** Any number of words; the last place. */
        public Builder any(String word, Choices choices) {
            parameters.add(new Parameter(word, Times.ANY, choices));
            return this;
        }

        /** A whole line that could be typed. */
        public Builder example(String line) {
            example = line;
            return this;
        }

        public Command runs(Action action) {
            return new Command(this, action);
        }
    }

    public String scope() {
        return scope;
    }

    /** Without the scope. */
    public String name() {
        return name;
    }

    public String fullName() {
        return scope + ":" + name;
    }

    public String summary() {
        return summary;
    }

    public String example() {
        return example;
    }

    /** Those of this command and those that all have. */
    public List<Flag> flags() {
        return Stream.concat(flags.stream(), Stream.of(Flag.JSON, Flag.HELP)).toList();
    }

    /** What may stand at a place, counted from 0 without flags. */
    public Optional<Parameter> parameter(int place) {
        if (place < parameters.size()) {
            return Optional.of(parameters.get(place));
        }
        return parameters.stream().filter(p -> p.times() == Times.ANY).findFirst();
    }

    /** {@code vm:unplug [--force] SLOT}. */
    public String usage() {
        return Stream.of(
                        Stream.of(fullName()),
                        flags.stream().map(flag -> "[" + flag.usage() + "]"),
                        parameters.stream().map(Parameter::usage))
                .flatMap(words -> words)
                .collect(Collectors.joining(" "));
    }

    /** Usage, what it does, its flags, an example. */
    public String help() {
        StringBuilder text = new StringBuilder(usage()).append("\n    ").append(summary);
        remarks.forEach(remark -> text.append("\n    ").append(remark));
        for (Flag flag : flags()) {
            text.append("\n  %-10s %s".formatted(flag.usage(), flag.meaning()));
        }
        if (!example.isEmpty()) {
            text.append("\nexample: ").append(example);
        }
        return text.toString();
    }

    /**
     * Reads what was typed behind the name.
     *
     * @throws ShellException one sentence that ends with the usage
     */
    public Arguments read(List<String> typed) throws ShellException {
        Arguments arguments = Arguments.of(usage(), flags(), typed);
        if (arguments.has(Flag.HELP.name())) {
            return arguments;
        }
        int least = (int) parameters.stream().filter(p -> p.times() == Times.ONCE).count();
        boolean any = parameters.stream().anyMatch(p -> p.times() == Times.ANY);
        return arguments.count(least, any ? Integer.MAX_VALUE : parameters.size());
    }

    /** Does it, or explains it if that was asked for. */
    public Object run(Call call) throws Exception {
        return call.arguments().has(Flag.HELP.name()) ? help() : action.run(call);
    }
}
