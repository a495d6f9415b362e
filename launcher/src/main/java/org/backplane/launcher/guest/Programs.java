package org.backplane.launcher.guest;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Runs programs of the host; a failure is told with what the program said last. */
final class Programs {
    private Programs() {}

    /** Runs to the end and returns the lines of standard output. */
    static List<String> lines(String... command) throws IOException, InterruptedException {
        List<String> lines = new ArrayList<>();
        run(List.of(command), lines::add);
        return lines;
    }

    /**
     * Runs to the end; every line of standard output goes to the listener.
     *
     * @throws IOException with a sentence that ends in the program's own last error
     */
    static void run(List<String> command, Consumer<String> listener)
            throws IOException, InterruptedException {
        Process process = start(new ProcessBuilder(command));
        StringBuilder errors = new StringBuilder();
        Thread reader = reader(process, errors);
        try (var lines = process.inputReader(StandardCharsets.UTF_8)) {
            lines.lines().forEach(listener);
            finish(command.get(0), process, reader, errors);
        } finally {
            process.destroy();
        }
    }

    /** Runs two programs, the output of the first into the second. */
    static void pipe(List<String> first, List<String> second)
            throws IOException, InterruptedException {
        List<Process> processes =
                ProcessBuilder.startPipeline(
                        List.of(
                                new ProcessBuilder(first).redirectInput(NOTHING),
                                new ProcessBuilder(second).redirectOutput(Redirect.DISCARD)));
        StringBuilder firstErrors = new StringBuilder();
        StringBuilder secondErrors = new StringBuilder();
        Thread firstReader = reader(processes.get(0), firstErrors);
        Thread secondReader = reader(processes.get(1), secondErrors);
        try {
            finish(second.get(0), processes.get(1), secondReader, secondErrors);
            finish(first.get(0), processes.get(0), firstReader, firstErrors);
        } finally {
            processes.forEach(Process::destroy);
        }
    }

    private static final Redirect NOTHING = Redirect.from(Path.of("/dev/null").toFile());

    private static Process start(ProcessBuilder builder) throws IOException {
        builder.redirectInput(NOTHING);
        builder.environment().put("LC_ALL", "C");
        try {
            return builder.start();
        } catch (IOException e) {
            throw new IOException(
                    builder.command().get(0)
                            + " cannot be run; the demo needs a Debian host with apt and dpkg",
                    e);
        }
    }

    private static Thread reader(Process process, StringBuilder errors) {
        Thread thread =
                new Thread(
                        () ->
                                process.errorReader(StandardCharsets.UTF_8)
                                        .lines()
                                        .filter(line -> !line.isBlank())
                                        .forEach(line -> errors.append(line).append('\n')),
                        "errors of a program");
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private static void finish(
            String program, Process process, Thread errorReader, StringBuilder errors)
            throws IOException, InterruptedException {
        int status = process.waitFor();
        errorReader.join();
        if (status != 0) {
            throw new IOException(
                    program + " failed with status " + status + ": " + errors.toString().strip());
        }
    }
}
