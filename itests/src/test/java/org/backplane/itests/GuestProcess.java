package org.backplane.itests;

import static org.junit.Assert.assertEquals;

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
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.backplane.launcher.ShellClient;

/**
 * The demo's guest in a process of its own: a Backplane as a user starts one, or QEMU. Several run
 * side by side, each in whatever network namespace its command enters.
 */
final class GuestProcess implements AutoCloseable {
    private static final int LOOK_MILLISECONDS = 20;
    private static final int PATIENCE_SECONDS = 120;

    private final Process process;
    private final Path folder;
    private final String name;
    private final GuestConsole console;

    private GuestProcess(Process process, Path folder, String name) throws Exception {
        this.process = process;
        this.folder = folder;
        this.name = name;
        try {
            awaitListening(console(folder, name));
            console = new GuestConsole(console(folder, name));
        } catch (Exception | AssertionError failed) {
            process.destroyForcibly();
            throw failed;
        }
    }

    static Path console(Path folder, String name) {
        return folder.resolve(name + ".con");
    }

    /**
     * Starts a machine of the distribution.
     *
     * @param folder of the test, with a short path: sockets are made there
     * @param entering the beginning of a command line that goes into a namespace, or empty
     * @param words of {@code backplane run}, without name and console
     */
    static GuestProcess backplane(
            Path folder, String name, List<String> entering, List<String> words) throws Exception {
        Path runtime = folder.resolve("run");
        if (!Files.isDirectory(runtime)) {
            Files.createDirectory(
                    runtime,
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rwx------")));
        }
        List<String> command = new ArrayList<>(entering);
        command.add(
                ProjectBundle.root().resolve("launcher/target/distribution/backplane").toString());
        command.addAll(
                List.of("run", "--name", name, "--console", "unix=" + console(folder, name)));
        command.addAll(words);
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("XDG_RUNTIME_DIR", runtime.toString());
        builder.environment().put("XDG_STATE_HOME", folder.toString());
        return start(builder, folder, name);
    }

    /** Starts another program whose guest's console is a socket at {@link #console}. */
    static GuestProcess start(ProcessBuilder builder, Path folder, String name) throws Exception {
        Files.deleteIfExists(console(folder, name));
        Process process =
                builder.redirectErrorStream(true)
                        .redirectOutput(folder.resolve(name + ".out").toFile())
                        .start();
        process.getOutputStream().close();
        return new GuestProcess(process, folder, name);
    }

    private void awaitListening(Path socket) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (!listens(socket)) {
            if (process.waitFor(LOOK_MILLISECONDS, TimeUnit.MILLISECONDS)) {
                throw new AssertionError(
                        name + " ended: " + Files.readString(folder.resolve(name + ".out")));
            }
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("nobody listens on " + socket);
            }
        }
    }

    private static boolean listens(Path socket) throws IOException {
        if (!Files.exists(socket)) {
            return false;
        }
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            return channel.connect(UnixDomainSocketAddress.of(socket));
        } catch (ConnectException bound) {
            // And not yet listening.
            return false;
        }
    }

    /** Waits until a guest that boots takes commands. */
    void awaitReady() throws IOException {
        console.awaitReady();
    }

    /** Runs a command in the guest, which must succeed. */
    String run(String command) throws IOException {
        return console.run(command);
    }

    private Path shellSocket() {
        return folder.resolve("run").resolve(name).resolve(ShellClient.SOCKET);
    }

    /** Runs a command of the machine's shell, which must succeed. */
    String shell(String command) throws Exception {
        Reply reply = ask(command);
        assertEquals("'%s': %s".formatted(command, reply.text()), 0, reply.status());
        return reply.text();
    }

    /** What a command of the machine's shell said. */
    record Reply(int status, String text) {}

    Reply ask(String command) throws Exception {
        awaitListening(shellSocket());
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        try (ShellClient client = ShellClient.connect(shellSocket())) {
            int status =
                    client.execute(command, new PrintStream(output, true, StandardCharsets.UTF_8));
            return new Reply(status, output.toString(StandardCharsets.UTF_8));
        }
    }

    /** Ends it as if by a power cut: nothing is told to whoever is connected. */
    void kill() throws InterruptedException {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }

    @Override
    public void close() throws Exception {
        console.close();
        kill();
    }
}
