package org.backplane.bench;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.backplane.launcher.ShellClient;

/** A machine in a process of its own, started as a user starts one. Not thread-safe. */
final class BenchMachine implements AutoCloseable {
    static final String NAME = "bench";
    private static final Duration LOOK = Duration.ofMillis(20);
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

    /** Waits until the machine listens on a socket, which takes it a moment after making it. */
    void awaitListening(Path socket) throws BenchException, IOException, InterruptedException {
        long deadline = System.nanoTime() + BOUND.toNanos();
        while (!listens(socket)) {
            if (process.waitFor(LOOK.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new BenchException("the machine ended: " + Files.readString(output).strip());
            }
            if (System.nanoTime() - deadline > 0) {
                throw new BenchException(
                        "nobody listens on %s after %d s".formatted(socket, BOUND.toSeconds()));
            }
        }
    }

    private static boolean listens(Path socket) throws IOException {
        if (!Files.exists(socket)) {
            return false;
        }
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            return channel.connect(UnixDomainSocketAddress.of(socket));
        } catch (ConnectException e) {
            // Bound, and not yet listening.
            return false;
        }
    }

    /** Waits for the shell, of a machine whose guest runs. */
    void awaitShell() throws BenchException, IOException, InterruptedException {
        awaitListening(shell);
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
