package org.backplane.itests.trust;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.backplane.itests.ProjectBundle;
import org.backplane.launcher.ShellClient;

/**
 * A machine in a process of its own, started by the distribution's script as a user does. Its guest
 * is a processor that waits for interrupts.
 */
final class Backplane implements AutoCloseable {
    private static final String NAME = "one";
    private static final long PATIENCE_SECONDS = 90;

    private final Path folder;
    private final Process process;

    /** What the shell said to one command. */
    record Answer(int status, String text) {}

    private Backplane(Path folder, Process process) {
        this.folder = folder;
        this.process = process;
    }

    /**
     * Runs a machine and waits until its shell answers.
     *
     * @param folder for everything it writes; short, a socket's path has to fit
     */
    static Backplane run(Path folder, String... options) throws Exception {
        List<String> words = words(folder, options);
        var machine = new Backplane(folder, start(folder, words, folder.resolve("out")));
        machine.waitUntil(() -> Files.exists(machine.socket()));
        return machine;
    }

    /** What a machine is run with. */
    static List<String> words(Path folder, String... options) throws IOException {
        List<String> words = new ArrayList<>();
        words.addAll(
                List.of(
                        "run",
                        "--name",
                        NAME,
                        "--memory",
                        "64M",
                        "--console",
                        "none",
                        "--kernel",
                        kernel(folder).toString()));
        words.addAll(Arrays.asList(options));
        return words;
    }

    /** Starts the script. */
    static Process start(Path folder, List<String> words, Path output) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(
                ProjectBundle.root().resolve("launcher/target/distribution/backplane").toString());
        command.addAll(words);
        var builder = new ProcessBuilder(command);
        builder.environment().put("XDG_RUNTIME_DIR", folder.toString());
        builder.environment().put("XDG_STATE_HOME", folder.toString());
        builder.environment().put("BACKPLANE_CLASS_ARCHIVE", "off");
        // With this the framework could take extensions; it is not to, all the same.
        builder.environment()
                .put(
                        "BACKPLANE_JAVA_OPTIONS",
                        "--add-opens=java.base/jdk.internal.loader=ALL-UNNAMED");
        builder.environment().put(Trace.VARIABLE, trace(folder).toString());
        builder.redirectErrorStream(true).redirectOutput(output.toFile());
        return builder.start();
    }

    static Path trace(Path folder) {
        return folder.resolve("trace");
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

    String name() {
        return NAME;
    }

    Answer shell(String command) throws IOException {
        var text = new ByteArrayOutputStream();
        try (ShellClient client = ShellClient.connect(socket());
                var out = new PrintStream(text, true, StandardCharsets.UTF_8)) {
            return new Answer(client.execute(command, out), text.toString(StandardCharsets.UTF_8));
        }
    }

    /** What was printed and logged. */
    String told() throws IOException {
        Path log = folder.resolve("backplane").resolve(NAME + ".log");
        return Files.readString(folder.resolve("out"))
                + (Files.exists(log) ? Files.readString(log) : "");
    }

    /** The bound only ends a test that hangs. */
    void waitUntil(BooleanSupplier reached) throws IOException {
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
