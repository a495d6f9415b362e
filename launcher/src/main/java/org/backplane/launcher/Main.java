package org.backplane.launcher;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.List;
import org.backplane.launcher.command.CheckCommand;
import org.backplane.launcher.command.Command;
import org.backplane.launcher.command.CommandLineWords;
import org.backplane.launcher.command.DemoCommand;
import org.backplane.launcher.command.DevCommand;
import org.backplane.launcher.command.ListCommand;
import org.backplane.launcher.command.NewDeviceCommand;
import org.backplane.launcher.command.RunCommand;
import org.backplane.launcher.command.ShellCommand;
import org.backplane.launcher.command.TestDeviceCommand;
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
        footer = {"", "First steps: backplane demo. One command: backplane help run."},
        subcommands = {
            RunCommand.class,
            DemoCommand.class,
            ShellCommand.class,
            DevCommand.class,
            NewDeviceCommand.class,
            TestDeviceCommand.class,
            ListCommand.class,
            CheckCommand.class
        })
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws InterruptedException {
        System.exit(run(arguments));
    }

    /** Does what the arguments say and returns the exit status. */
    static int run(String... arguments) throws InterruptedException {
        CommandLine root = commandLine();
        if (arguments.length == 0) {
            root.usage(System.err);
            return ExitStatus.BAD_INPUT;
        }
        List<String> words = List.of(arguments);
        String first = words.get(0);
        if (List.of("help", "--help", "-h").contains(first)) {
            return help(root, words.subList(1, words.size()));
        }
        if (first.equals("--version")) {
            String version = Main.class.getPackage().getImplementationVersion();
            System.out.println("backplane " + (version == null ? "(unpackaged)" : version));
            return ExitStatus.OK;
        }
        if (!root.getSubcommands().containsKey(first)) {
            return unknownCommand(root, first);
        }
        if (words.size() > 1 && List.of("--help", "-h").contains(words.get(1))) {
            return help(root, List.of(first));
        }
        try {
            return dispatch(root, words);
        } catch (IOException e) {
            System.err.println("backplane: " + sentence(e));
            return ExitStatus.FAILED;
        }
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

    private static CommandLine commandLine() {
        CommandLine root = new CommandLine(new Main());
        root.setExpandAtFiles(false);
        root.setAllowOptionsAsOptionParameters(false);
        root.getSubcommands().get("shell").setStopAtPositional(true);
        root.getSubcommands()
                .values()
                .forEach(command -> command.getCommandSpec().parser().collectErrors(true));
        return root;
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

    private static int help(CommandLine root, List<String> words) {
        if (words.isEmpty()) {
            root.usage(System.out);
            return ExitStatus.OK;
        }
        CommandLine command = root.getSubcommands().get(words.get(0));
        if (command == null) {
            return unknownCommand(root, words.get(0));
        }
        command.usage(System.out);
        return ExitStatus.OK;
    }

    private static int unknownCommand(CommandLine root, String word) {
        List<String> known = new ArrayList<>(root.getSubcommands().keySet());
        known.add("help");
        System.err.println(
                "backplane: '"
                        + word
                        + "' is no command; the commands are: "
                        + String.join(", ", known));
        return ExitStatus.BAD_INPUT;
    }
}
