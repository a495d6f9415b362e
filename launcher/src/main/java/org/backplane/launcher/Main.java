package org.backplane.launcher;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.backplane.launcher.command.CheckCommand;
import org.backplane.launcher.command.Command;
import org.backplane.launcher.command.CommandLineWords;
import org.backplane.launcher.command.CompletionCommand;
import org.backplane.launcher.command.DemoCommand;
import org.backplane.launcher.command.DevCommand;
import org.backplane.launcher.command.ListCommand;
import org.backplane.launcher.command.NewDeviceCommand;
import org.backplane.launcher.command.RunCommand;
import org.backplane.launcher.command.ServeCommand;
import org.backplane.launcher.command.ShellCommand;
import org.backplane.launcher.command.TestDeviceCommand;
import org.backplane.launcher.command.VfioCommand;
import org.backplane.launcher.option.Problems;
import picocli.CommandLine;

/** The {@code backplane} command. */
@picocli.CommandLine.Command(
        name = "backplane",
        description = {
            "Runs Linux guests whose devices are OSGi bundles and can be replaced while the guest"
                    + " runs.",
            ""
        },
        footer = {"", "First steps: backplane demo. One command: backplane help run."})
public final class Main {
    private static final Instant ENTERED = Instant.now();

    /** Takes words of another command. */
    private static final String SHELL = "shell";

    private Main() {}

    /** When this process was so far that code of ours ran. */
    static Instant entered() {
        return ENTERED;
    }

    public static void main(String[] arguments) throws InterruptedException {
        System.exit(run(arguments));
    }

    /** Does what the arguments say and returns the exit status. */
    static int run(String... arguments) throws InterruptedException {
        Map<String, Supplier<Command>> commands = commands();
        if (arguments.length == 0) {
            commandLine(commands).usage(System.err);
            return ExitStatus.BAD_INPUT;
        }
        List<String> words = List.of(arguments);
        String first = words.get(0);
        if (List.of("help", "--help", "-h").contains(first)) {
            return help(commands, words.subList(1, words.size()));
        }
        if (first.equals("--version")) {
            String version = Main.class.getPackage().getImplementationVersion();
            System.out.println("backplane " + (version == null ? "(unpackaged)" : version));
            return ExitStatus.OK;
        }
        if (!commands.containsKey(first)) {
            return unknownCommand(commands, first);
        }
        if (words.size() > 1 && asksForHelp(first, words)) {
            return help(commands, List.of(first));
        }
        try {
            // Of the one command only: to look at all of them takes as long as to start the JVM.
            return dispatch(commandLine(Map.of(first, commands.get(first))), words);
        } catch (IOException e) {
            System.err.println("backplane: " + sentence(e));
            return ExitStatus.FAILED;
        }
    }

    /** What follows the first word of a command for the shell is the shell's. */
    private static boolean asksForHelp(String command, List<String> words) {
        List<String> help = List.of("--help", "-h");
        return help.contains(words.get(1))
                || !command.equals(SHELL) && help.contains(words.get(words.size() - 1));
    }

    /** The JDK's exceptions of the file system say little more than the path. */
    static String sentence(IOException e) {
        if (e instanceof AccessDeniedException denied) {
            return denied.getFile() + " cannot be used by this user; change its mode or owner";
        }
        if (e instanceof NoSuchFileException missing) {
            return "there is no " + missing.getFile();
        }
        return e.getMessage() == null ? e.toString() : e.getMessage();
    }

    /** In the order in which the help lists them. */
    private static Map<String, Supplier<Command>> commands() {
        Map<String, Supplier<Command>> commands = new LinkedHashMap<>();
        commands.put("run", RunCommand::new);
        commands.put("demo", DemoCommand::new);
        commands.put("serve", ServeCommand::new);
        commands.put(SHELL, ShellCommand::new);
        commands.put("dev", DevCommand::new);
        commands.put("new-device", NewDeviceCommand::new);
        commands.put("test-device", TestDeviceCommand::new);
        commands.put("list", ListCommand::new);
        commands.put("check", CheckCommand::new);
        commands.put("vfio", VfioCommand::new);
        commands.put("completion", () -> new CompletionCommand(() -> commandLine(commands())));
        return commands;
    }

    private static CommandLine commandLine(Map<String, Supplier<Command>> commands) {
        CommandLine root = new CommandLine(new Main());
        commands.forEach((name, command) -> root.addSubcommand(name, command.get()));
        root.setExpandAtFiles(false);
        root.setAllowOptionsAsOptionParameters(false);
        root.getSubcommands().values().forEach(Main::configure);
        return root;
    }

    private static void configure(CommandLine command) {
        command.setStopAtPositional(command.getCommandName().equals(SHELL));
        command.getCommandSpec().parser().collectErrors(true);
    }

    private static int dispatch(CommandLine root, List<String> words)
            throws IOException, InterruptedException {
        Problems problems = new Problems();
        Command command = CommandLineWords.parse(root, words, problems);
        int status = command.run(problems);
        if (problems.isEmpty()) {
            return status;
        }
        problems.sentences().forEach(sentence -> System.err.println("backplane: " + sentence));
        return ExitStatus.BAD_INPUT;
    }

    private static int help(Map<String, Supplier<Command>> commands, List<String> words) {
        if (words.isEmpty()) {
            commandLine(commands).usage(System.out);
            return ExitStatus.OK;
        }
        CommandLine command = commandLine(commands).getSubcommands().get(words.get(0));
        if (command == null) {
            return unknownCommand(commands, words.get(0));
        }
        command.usage(System.out);
        return ExitStatus.OK;
    }

    private static int unknownCommand(Map<String, Supplier<Command>> commands, String word) {
        List<String> known = new ArrayList<>(commands.keySet());
        known.add("help");
        System.err.println(
                "backplane: '"
                        + word
                        + "' is no command; the commands are: "
                        + String.join(", ", known));
        return ExitStatus.BAD_INPUT;
    }
}
