package org.backplane.bench;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchService;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.backplane.launcher.ShellClient;

/** A machine in a process of its own, started as a user starts one. Not thread-safe. */
final class BenchMachine implements AutoCloseable {
    static final String NAME = "bench";
    private static final Duration BOUND = Duration.ofMinutes(2);

    private final Process process;
    private final Path shell;
    private final Path output;

    private BenchMachine(Process process, Path shell, Path output) {
        this.process = process;
        this.shell = shell;
        this.output = output;
    }

    /** Where programs and files of a run are. */
    record Places(Path distribution, Path folder, Path records) {
        Path script() {
            return distribution.resolve("backplane");
        }

        /** Its machines' run folders; made if needed. */
        Path runtime() throws IOException {
            Path runtime = folder.resolve("run");
            if (!Files.isDirectory(runtime)) {
                Files.createDirectory(
                        runtime,
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rwx------")));
            }
            return runtime;
        }

        /** A command of the distribution, with the places of this run. */
        ProcessBuilder command(List<String> words) throws IOException {
            List<String> line = new ArrayList<>(List.of(script().toString()));
            line.addAll(words);
            ProcessBuilder builder = new ProcessBuilder(line);
            builder.environment().put("XDG_RUNTIME_DIR", runtime().toString());
            builder.environment().put("XDG_STATE_HOME", records.toString());
            return builder;
        }
    }

    /**
     * Starts one.
     *
     * @param words of {@code backplane run}, without a name
     */
    static BenchMachine start(Places places, List<String> words) throws IOException {
        List<String> line = new ArrayList<>(List.of("run", "--name", NAME));
        line.addAll(words);
        Path output = places.records().resolve("machine.out");
        Process process =
                places.command(line)
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .start();
        process.getOutputStream().close();
        Path shell = places.runtime().resolve(NAME).resolve(ShellClient.SOCKET);
        return new BenchMachine(process, shell, output);
    }

    /** Waits until a file is there, which the machine makes. */
    void await(Path file) throws BenchException, IOException, InterruptedException {
        long deadline = System.nanoTime() + BOUND.toNanos();
        try (WatchService watch = FileSystems.getDefault().newWatchService()) {
            file.getParent().register(watch, StandardWatchEventKinds.ENTRY_CREATE);
            while (!Files.exists(file)) {
                if (!process.isAlive()) {
                    throw new BenchException(
                            "the machine ended: " + Files.readString(output).strip());
                }
                if (System.nanoTime() > deadline) {
                    throw new BenchException(
                            "%s did not come within %d s".formatted(file, BOUND.toSeconds()));
                }
                var key = watch.poll(1, TimeUnit.SECONDS);
                if (key != null) {
                    key.pollEvents();
                    key.reset();
                }
            }
        }
    }

    /** Waits for the shell, of a machine whose guest runs. */
    void awaitShell() throws BenchException, IOException, InterruptedException {
        await(shell);
    }

    /** Runs a command of the machine's shell, which must succeed, and returns what it printed. */
    String shell(String command) throws BenchException, IOException {
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        int status;
        try (ShellClient client = ShellClient.connect(shell)) {
            status = client.execute(command, new PrintStream(output, true, StandardCharsets.UTF_8));
        }
        String text = output.toString(StandardCharsets.UTF_8);
        if (status != 0) {
            throw new BenchException(
                    "'%s' ended with %d: %s".formatted(command, status, text.strip()));
        }
        return text;
    }

    /** Of the machine's process, or of the script around it. */
    long pid() {
        return process.pid();
    }

    /** Ends the machine, as if by a signal if it does not by itself. */
    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(BOUND.toSeconds(), TimeUnit.SECONDS)) {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
