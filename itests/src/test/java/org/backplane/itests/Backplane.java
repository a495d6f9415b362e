package org.backplane.itests;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.backplane.launcher.ShellClient;

/**
 * A machine in a process of its own, started by the distribution's script as a user does. Its guest
 * is a processor that waits for interrupts.
 */
public final class Backplane implements AutoCloseable {
    private static final String NAME = "one";
    private static final long PATIENCE_SECONDS = 90;

    private final Path folder;
    private final Process process;

    /** What the shell said to one command. */
    public record Answer(int status, String text) {}

    private Backplane(Path folder, Process process) {
        this.folder = folder;
        this.process = process;
    }

    /**
     * Runs a machine and waits until its shell answers.
     *
     * @param folder for everything it writes; short, a socket's path has to fit
     */
    public static Backplane run(Path folder, String... options) throws Exception {
        return run(folder, Map.of(), List.of(options));
    }

    /** As {@link #run(Path, String...)}, with more in the environment. */
    public static Backplane run(Path folder, Map<String, String> environment, List<String> options)
            throws Exception {
        List<String> words = words(folder, options.toArray(String[]::new));
        var machine =
                new Backplane(folder, start(folder, environment, words, folder.resolve("out")));
        machine.waitUntil(machine::answers);
        return machine;
    }

    /** Serves a device, and waits until its shell answers: clients are taken by then. */
    public static Backplane serve(Path folder, Path socket, String device) throws Exception {
        List<String> words =
                List.of("serve", device, "--socket", socket.toString(), "--name", NAME);
        var machine = new Backplane(folder, start(folder, Map.of(), words, folder.resolve("out")));
        machine.waitUntil(machine::answers);
        return machine;
    }

    /** What a machine is run with. */
    public static List<String> words(Path folder, String... options) throws IOException {
        List<String> words = new ArrayList<>(List.of("run", "--name", NAME));
        if (!List.of(options).contains("--kernel")) {
            words.addAll(
                    List.of(
                            "--memory",
                            "64M",
                            "--console",
                            "none",
                            "--kernel",
                            kernel(folder).toString()));
        }
        words.addAll(List.of(options));
        return words;
    }

    /** Starts the script. */
    public static Process start(
            Path folder, Map<String, String> environment, List<String> words, Path output)
            throws IOException {
        List<String> command = new ArrayList<>();
        command.add(
                ProjectBundle.root().resolve("launcher/target/distribution/backplane").toString());
        command.addAll(words);
        var builder = new ProcessBuilder(command);
        builder.environment().put("XDG_RUNTIME_DIR", folder.toString());
        builder.environment().put("XDG_STATE_HOME", folder.toString());
        builder.environment().put("BACKPLANE_CLASS_ARCHIVE", "off");
        builder.environment().putAll(environment);
        builder.redirectErrorStream(true).redirectOutput(output.toFile());
        return builder.start();
    }

    /** The header of Linux's Documentation/arch/riscv/boot-image-header, and {@code wfi; j .-4}. */
    private static Path kernel(Path folder) throws IOException {
        ByteBuffer image = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
        image.putInt(0x10500073).putInt(0xffdff06f).putLong(0x200000).putLong(4096).putLong(0);
        image.putInt(2).putInt(0).putLong(0).putLong(0x5643534952L).putInt(0x05435352);
        return Files.write(folder.resolve("wfi"), image.array());
    }

    private Path socket() {
        return folder.resolve(NAME).resolve(ShellClient.SOCKET);
    }

    /** What it keeps while it runs. */
    public Path runFolder() {
        return folder.resolve(NAME);
    }

    public String name() {
        return NAME;
    }

    /** Whether the shell takes clients: its socket is there before it does. */
    private boolean answers() {
        try (ShellClient client = ShellClient.connect(socket())) {
            return client != null;
        } catch (IOException notYet) {
            return false;
        }
    }

    public Answer shell(String command) throws IOException {
        var text = new ByteArrayOutputStream();
        try (ShellClient client = ShellClient.connect(socket());
                var out = new PrintStream(text, true, StandardCharsets.UTF_8)) {
            return new Answer(client.execute(command, out), text.toString(StandardCharsets.UTF_8));
        }
    }

    /** What was printed and logged. */
    public String told() throws IOException {
        Path log = folder.resolve("backplane").resolve(NAME + ".log");
        return Files.readString(folder.resolve("out"))
                + (Files.exists(log) ? Files.readString(log) : "");
    }

    /** The bound only ends a test that hangs. */
    public void waitUntil(BooleanSupplier reached) throws IOException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (!reached.getAsBoolean()) {
            if (System.nanoTime() > end || !process.isAlive()) {
                throw new AssertionError("never came: " + told());
            }
            Thread.onSpinWait();
        }
    }

    @Override
    public void close() throws IOException, InterruptedException {
        process.destroy();
        if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("did not end: " + told());
        }
    }
}
