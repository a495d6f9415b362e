package org.backplane.bench;

import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.backplane.launcher.tour.ConsoleDialog;
import org.backplane.launcher.tour.TourException;

/** A booted guest of either monitor, with the end of a connection as program {@code net} in it. */
final class NetworkGuest implements AutoCloseable {
    private static final Duration BOUND = Duration.ofMinutes(5);
    private static final Duration LOOK = Duration.ofMillis(20);

    private final Process process;
    private final ConsoleDialog console;

    private NetworkGuest(Process process, ConsoleDialog console) {
        this.process = process;
        this.console = console;
    }

    /**
     * Starts a monitor and waits until its guest takes commands.
     *
     * @param socket of the console, where the monitor listens
     * @param records folder for what monitor and guest say
     */
    static NetworkGuest boot(ProcessBuilder monitor, Path socket, Path records)
            throws BenchException, IOException, InterruptedException {
        String name = socket.getFileName().toString();
        Path output = records.resolve(name + ".out");
        Process process = monitor.redirectErrorStream(true).redirectOutput(output.toFile()).start();
        process.getOutputStream().close();
        try {
            awaitListening(process, socket, output);
            ConsoleDialog console = ConsoleDialog.connect(socket, records.resolve(name + ".log"));
            console.awaitReady(BOUND);
            return new NetworkGuest(process, console);
        } catch (TourException e) {
            end(process);
            throw new BenchException(e.getMessage());
        } catch (BenchException | IOException | InterruptedException | RuntimeException e) {
            end(process);
            throw e;
        }
    }

    private static void awaitListening(Process process, Path socket, Path output)
            throws BenchException, IOException, InterruptedException {
        long deadline = System.nanoTime() + BOUND.toNanos();
        while (!listens(socket)) {
            if (process.waitFor(LOOK.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new BenchException("the monitor ended: " + Files.readString(output).strip());
            }
            if (System.nanoTime() - deadline > 0) {
                throw new BenchException("nobody listens on " + socket);
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

    /** Runs a command of the guest's shell, which must succeed. */
    String run(String command) throws BenchException, IOException, InterruptedException {
        try {
            ConsoleDialog.Reply reply = console.run(command, BOUND);
            if (reply.status() != 0) {
                throw new BenchException(
                        "'%s' ended with %d: %s"
                                .formatted(command, reply.status(), reply.output()));
            }
            return reply.output();
        } catch (TourException e) {
            throw new BenchException(e.getMessage());
        }
    }

    /** The numbers that a command of the guest's shell prints. */
    List<Long> numbers(String command) throws BenchException, IOException, InterruptedException {
        String output = run(command);
        if (!output.matches("\\d+( \\d+)*")) {
            throw new BenchException("'%s' printed: %s".formatted(command, output));
        }
        return List.of(output.split(" ")).stream().map(Long::valueOf).toList();
    }

    private static void end(Process process) throws InterruptedException {
        process.destroy();
        if (!process.waitFor(BOUND.toSeconds(), TimeUnit.SECONDS)) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }

    @Override
    public void close() throws IOException {
        try {
            console.close();
            end(process);
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
