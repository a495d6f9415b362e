package org.backplane.launcher;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.backplane.launcher.terminal.LocalTerminal;

/** The client's end of a machine's shell socket; the protocol is in docs/launcher.md. */
public final class ShellClient implements AutoCloseable {
    /** Name of the socket in a run folder. */
    public static final String SOCKET = "shell.sock";

    private static final String STATUS = "status ";

    /** A byte that UTF-8 has no use for. */
    private static final int SIZE_FOLLOWS = 0xff;

    /** Everything else means something to Gogo. */
    private static final Pattern PLAIN = Pattern.compile("[\\w./+@-]+");

    private final SocketChannel channel;

    private ShellClient(SocketChannel channel) {
        this.channel = channel;
    }

    /**
     * Connects.
     *
     * @throws IOException with a sentence if nobody listens there
     */
    public static ShellClient connect(Path socket) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(socket));
            return new ShellClient(channel);
        } catch (IOException e) {
            channel.close();
            throw new IOException(
                    "the shell at "
                            + socket
                            + " does not answer ("
                            + e.getMessage()
                            + "); it starts when the guest runs: try again, or see the log",
                    e);
        }
    }

    /** A text without apostrophes as one word of a command. */
    public static String word(String text) {
        return PLAIN.matcher(text).matches() ? text : "'" + text + "'";
    }

    /** Says nothing and waits until the machine closes the connection: it ends, however it does. */
    public void awaitEnd() {
        ByteBuffer unexpected = ByteBuffer.allocate(64);
        try {
            while (channel.read(unexpected.clear()) >= 0) {
                continue;
            }
        } catch (IOException e) {
            // A connection that breaks is one that ends.
            return;
        }
    }

    /**
     * Runs one command and copies its output.
     *
     * @return the status of the command, 1 if the machine went away before it ended
     */
    public int execute(String command, PrintStream out) throws IOException {
        return answered("exec " + command + "\n", out);
    }

    /** As the other; the command may know the terminal that its output goes to, and draw on it. */
    public int execute(String command, LocalTerminal terminal, PrintStream out) throws IOException {
        return answered(description(terminal) + "exec " + command + "\n", out);
    }

    /** As {@code execute}; what comes is one line of JSON. */
    public int executeForJson(String command, PrintStream out) throws IOException {
        return answered("json " + command + "\n", out);
    }

    private int answered(String request, PrintStream out) throws IOException {
        send(request);
        ByteArrayOutputStream trailer = new ByteArrayOutputStream();
        boolean inTrailer = false;
        ByteBuffer buffer = ByteBuffer.allocate(8192);
        while (channel.read(buffer.clear()) >= 0) {
            buffer.flip();
            while (buffer.hasRemaining()) {
                byte octet = buffer.get();
                if (inTrailer) {
                    trailer.write(octet);
                } else if (octet == 0) {
                    inTrailer = true;
                } else {
                    out.write(octet);
                }
            }
            out.flush();
        }
        String line = trailer.toString(StandardCharsets.UTF_8).strip();
        return line.matches(STATUS + "\\d{1,3}")
                ? Integer.parseInt(line.substring(STATUS.length()))
                : ExitStatus.FAILED;
    }

    /**
     * A session on a terminal, which delivers every byte: keys and changes of the size go out, what
     * is to be shown comes back, until the machine ends it.
     */
    public int interact(LocalTerminal terminal, InputStream keys, PrintStream out)
            throws IOException {
        send(description(terminal) + "session\n");
        terminal.watchSize(this::resized);
        return copied(() -> copyKeys(keys), out);
    }

    private static String description(LocalTerminal terminal) {
        return "terminal %s %d %d %s\n"
                .formatted(
                        terminal.type(),
                        terminal.size().columns(),
                        terminal.size().rows(),
                        Path.of("").toAbsolutePath());
    }

    private void resized(LocalTerminal.Size size) {
        ByteBuffer text =
                StandardCharsets.US_ASCII.encode("%d %d\n".formatted(size.columns(), size.rows()));
        ByteBuffer told = ByteBuffer.allocate(1 + text.remaining());
        try {
            write(told.put((byte) SIZE_FOLLOWS).put(text).flip());
        } catch (IOException e) {
            // The session has ended: nobody draws any more.
            return;
        }
    }

    private void copyKeys(InputStream keys) {
        byte[] bytes = new byte[4096];
        try {
            for (int n = keys.read(bytes); n >= 0; n = keys.read(bytes)) {
                ByteBuffer typed = ByteBuffer.allocate(n);
                for (int i = 0; i < n; i++) {
                    if ((bytes[i] & 0xff) != SIZE_FOLLOWS) {
                        typed.put(bytes[i]);
                    }
                }
                write(typed.flip());
            }
            // No keyboard any more: the machine ends the session.
            channel.shutdownOutput();
        } catch (IOException e) {
            // The machine ended the session; copied() has returned.
            return;
        }
    }

    /** Copies lines both ways until either side ends. */
    public int session(InputStream in, PrintStream out) throws IOException {
        send("session\n");
        return copied(() -> copyTyped(in), out);
    }

    private int copied(Runnable copyTyped, PrintStream out) throws IOException {
        Thread typing = new Thread(copyTyped, "typing");
        typing.setDaemon(true);
        typing.start();
        ByteBuffer buffer = ByteBuffer.allocate(8192);
        try {
            while (channel.read(buffer.clear()) >= 0) {
                out.write(buffer.array(), 0, buffer.position());
                out.flush();
            }
        } catch (AsynchronousCloseException e) {
            return ExitStatus.FAILED;
        } catch (SocketException e) {
            // The machine closed without reading what was typed last: the session is over.
            return ExitStatus.OK;
        }
        return ExitStatus.OK;
    }

    private void copyTyped(InputStream in) {
        byte[] bytes = new byte[4096];
        try {
            for (int n = in.read(bytes); n >= 0; n = in.read(bytes)) {
                write(ByteBuffer.wrap(bytes, 0, n));
            }
            // Without a goodbye the machine takes us for gone and interrupts what still runs.
            send("\nexit\n");
            channel.shutdownOutput();
        } catch (ClosedChannelException e) {
            // The machine ended the session; session() has returned.
            return;
        } catch (IOException e) {
            System.err.println("backplane: the session broke: " + e.getMessage());
        }
    }

    private void send(String text) throws IOException {
        write(StandardCharsets.UTF_8.encode(text));
    }

    /** Keys and sizes go out from different threads. */
    private synchronized void write(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
