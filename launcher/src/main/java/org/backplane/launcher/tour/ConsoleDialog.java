package org.backplane.launcher.tour;

import java.io.IOException;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Talks with the agent of the demo's guest over the machine's console socket: one command a line,
 * and a marked line with its status when it has ended. Used by one thread; another one reads.
 */
public final class ConsoleDialog implements AutoCloseable {
    private static final String READY = "<backplane> ready";
    private static final Pattern STATUS = Pattern.compile("\n<backplane> status (\\d+)\r?\n");

    private final SocketChannel channel;
    private final OutputStream transcript;
    private final StringBuilder unread = new StringBuilder();
    private String end = "";

    /** What a command of the guest printed, and how it ended. */
    public record Reply(int status, String output) {}

    private ConsoleDialog(SocketChannel channel, OutputStream transcript) {
        this.channel = channel;
        this.transcript = transcript;
    }

    /**
     * Connects to a console.
     *
     * @param transcript everything the guest says is written there
     */
    public static ConsoleDialog connect(Path socket, Path transcript) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        ConsoleDialog dialog;
        try {
            channel.connect(UnixDomainSocketAddress.of(socket));
            dialog = new ConsoleDialog(channel, Files.newOutputStream(transcript));
        } catch (IOException e) {
            channel.close();
            throw new IOException(
                    "the console at " + socket + " does not answer: " + e.getMessage(), e);
        }
        Thread reader = new Thread(dialog::read, "console reader");
        reader.setDaemon(true);
        reader.start();
        return dialog;
    }

    private void read() {
        ByteBuffer buffer = ByteBuffer.allocate(4096);
        String reason = "the machine closed its console";
        try {
            while (channel.read(buffer.clear()) >= 0) {
                transcript.write(buffer.array(), 0, buffer.position());
                transcript.flush();
                // The guest's programs write ASCII; other bytes must not join across reads.
                heard(new String(buffer.array(), 0, buffer.position(), StandardCharsets.US_ASCII));
            }
        } catch (IOException e) {
            reason = "the console broke: " + e.getMessage();
        }
        ended(reason);
    }

    private synchronized void heard(String text) {
        unread.append(text);
        notifyAll();
    }

    /** Whoever waits for the guest is told that nothing more comes. */
    public synchronized void ended(String reason) {
        if (end.isEmpty()) {
            end = reason;
        }
        notifyAll();
    }

    /** Waits until the agent of a guest that has booted reports. */
    public void awaitReady(Duration bound) throws TourException, InterruptedException {
        await(Pattern.compile(Pattern.quote(READY) + "\r?\n"), bound, "the guest did not boot");
    }

    /** Runs a command of the guest's shell and waits for its end. */
    public Reply run(String command, Duration bound)
            throws TourException, InterruptedException, IOException {
        send(command);
        Heard heard = await(STATUS, bound, "the guest did not finish '" + command + "'");
        return new Reply(
                Integer.parseInt(heard.match().group(1)), heard.before().replace("\r", "").strip());
    }

    /** Sends a command that the guest does not survive, like reboot. */
    public void send(String command) throws IOException {
        ByteBuffer bytes = StandardCharsets.US_ASCII.encode(command + "\n");
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /** What the guest said up to what was waited for, and that. */
    public record Heard(String before, Matcher match) {}

    /**
     * Waits until the guest has said something that no earlier wait has taken.
     *
     * @param failure what to tell if it does not: the beginning of a sentence
     */
    public synchronized Heard await(Pattern pattern, Duration bound, String failure)
            throws TourException, InterruptedException {
        long deadline = System.nanoTime() + bound.toNanos();
        while (true) {
            Matcher matcher = pattern.matcher(unread.toString());
            if (matcher.find()) {
                Heard heard = new Heard(unread.substring(0, matcher.start()), matcher);
                unread.delete(0, matcher.end());
                return heard;
            }
            if (!end.isEmpty()) {
                throw new TourException(failure + ": " + end);
            }
            long left = (deadline - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                throw new TourException(failure + " within " + bound.toSeconds() + " s");
            }
            wait(left);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
        transcript.close();
    }
}
