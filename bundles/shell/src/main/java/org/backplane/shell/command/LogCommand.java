package org.backplane.shell.command;

import java.util.List;
import java.util.stream.Stream;
import org.backplane.shell.command.Choices.Choice;
import org.backplane.shell.command.Choices.Typing;
import org.backplane.shell.format.Table;

/** What is written into the log. */
final class LogCommand {
    private final LogLevels levels;

    LogCommand(LogLevels levels) {
        this.levels = levels;
    }

    List<Command> all() {
        return List.of(
                Command.named("vm:log")
                        .does(
                                "sets a logger's level, and that of the loggers below it; or lists levels")
                        .remark(
                                "Without words it lists the loggers with a level of their own; with one")
                        .remark(
                                "word the loggers whose names begin so. Levels: all, trace, debug, info,")
                        .remark("warning, error, off; inherit takes a logger's own level away.")
                        .optional("LEVEL|LOGGER", this::levelsOrLoggers)
                        .optional("LOGGER", this::loggers)
                        .example("vm:log debug org.backplane.virtio")
                        .runs(this::log));
    }

    private List<Choice> levelsOrLoggers(Typing typing) {
        return Stream.concat(
                        Stream.concat(LogLevels.names().stream(), Stream.of(LogLevels.INHERIT))
                                .map(level -> Choice.of(level, "level")),
                        loggers(typing).stream())
                .toList();
    }

    /** Loggers and the packages they are in. */
    private List<Choice> loggers(Typing typing) {
        return levels.of("org.backplane.").stream()
                .map(LogLevels.Setting::logger)
                .flatMap(LogCommand::selfAndPackages)
                .distinct()
                .map(logger -> Choice.of(logger, ""))
                .toList();
    }

    private static Stream<String> selfAndPackages(String logger) {
        return Stream.iterate(
                logger,
                name -> name.lastIndexOf('.') > "org.".length(),
                name -> name.substring(0, name.lastIndexOf('.')));
    }

    private Object log(Call call) throws Exception {
        Arguments arguments = call.arguments();
        if (arguments.optional(1).isPresent()) {
            LogLevels.Setting set = levels.set(arguments.word(0), arguments.word(1));
            return new Answer("%s: %s".formatted(set.logger(), told(set)), set);
        }
        List<LogLevels.Setting> found = levels.of(arguments.optional(0).orElse(""));
        if (found.isEmpty() && arguments.optional(0).isPresent()) {
            throw new ShellException(
                    "No logger's name begins with '%s': %s."
                            .formatted(arguments.word(0), arguments.usage()));
        }
        Table table = new Table("LOGGER", "LEVEL");
        found.forEach(setting -> table.row(setting.logger(), told(setting)));
        return new Answer(table.toString(), found);
    }

    private static String told(LogLevels.Setting setting) {
        return setting.own() ? setting.level() : setting.level() + " (inherited)";
    }
}
