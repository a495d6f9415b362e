package org.backplane.shell.command;

import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.apache.felix.service.command.CommandSession;
import org.backplane.shell.format.Table;

/** Explains the commands: ours from their own description, Felix's from what Felix says of them. */
final class HelpCommand {
    /** Names of all commands of a Gogo session. */
    private static final String COMMANDS = ".commands";

    private static final String FELIX = "felix:";

    private final Supplier<Catalogue> catalogue;

    HelpCommand(Supplier<Catalogue> catalogue) {
        this.catalogue = catalogue;
    }

    List<Command> all() {
        return List.of(
                Command.named("shell:help")
                        .does("all commands, or one in full")
                        // The completer offers all names there are.
                        .optional("COMMAND", Choices.FREE)
                        .example("shell:help vm:swap")
                        .runs(this::help));
    }

    private Object help(Call call) throws Exception {
        Optional<String> name = call.arguments().optional(0);
        if (name.isEmpty()) {
            return list(call.session());
        }
        Optional<Command> ours = catalogue.get().find(name.get());
        if (ours.isPresent()) {
            return ours.get().help();
        }
        if (known(call.session()).stream()
                .noneMatch(full -> full.equals(name.get()) || full.endsWith(":" + name.get()))) {
            throw new ShellException(
                    "There is no command '%s'; help lists them.".formatted(name.get()));
        }
        return call.session().execute(FELIX + "help " + name.get());
    }

    private Object list(CommandSession session) {
        Table table = new Table("COMMAND", "");
        for (Command command : catalogue.get().commands()) {
            String name =
                    command.scope().equals(Catalogue.VM) ? command.fullName() : command.name();
            table.row(name, command.summary());
        }
        List<String> others =
                known(session).stream()
                        .filter(full -> full.startsWith(FELIX))
                        .map(full -> full.substring(FELIX.length()))
                        .filter(name -> catalogue.get().find(name).isEmpty())
                        .toList();
        return new Answer(
                "%s\nFelix's own: %s\nhelp COMMAND or COMMAND --help has more."
                        .formatted(table, String.join(", ", others)),
                catalogue.get().commands().stream().map(HelpCommand::explained).toList());
    }

    /** A command for programs. */
    private record Explained(String command, String usage, String summary, String example) {}

    private static Explained explained(Command command) {
        return new Explained(
                command.fullName(), command.usage(), command.summary(), command.example());
    }

    private static Collection<String> known(CommandSession session) {
        return session.get(COMMANDS) instanceof Collection<?> names
                ? new TreeSet<>(names.stream().map(Object::toString).toList())
                : List.of();
    }
}
