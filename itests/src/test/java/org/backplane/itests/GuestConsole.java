package org.backplane.itests;

import static org.junit.Assert.assertEquals;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * The console of the demo's guest, whose agent runs one command a line and reports how it ended.
 * Waits as long as the guest takes; a machine that ends closes its console.
 */
public final class GuestConsole implements AutoCloseable {
    private static final String READY = "<backplane> ready";
    private static final String STATUS = "<backplane> status ";

    private final SocketChannel channel;
    private final StringBuilder heard = new StringBuilder();

    public GuestConsole(Path socket) throws IOException {
        channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        channel.connect(UnixDomainSocketAddress.of(socket));
    }

    /** Waits until the guest has booted. */
    public void awaitReady() throws IOException {
        lineWith(READY);
    }

    /** Runs a command of the guest's shell, which must succeed, and returns what it printed. */
    public String run(String command) throws IOException {
        send(command);
        int from = lineWith(STATUS);
        String output = heard.substring(0, from).replace("\r", "").strip();
        String status = heard.substring(from + STATUS.length(), heard.indexOf("\n", from)).strip();
        heard.delete(0, heard.indexOf("\n", from) + 1);
        assertEquals("'%s' printed: %s".formatted(command, output), "0", status);
        return output;
    }

    /** Sends a command that the guest does not survive. */
    void send(String command) throws IOException {
        heard.setLength(0);
        ByteBuffer bytes = StandardCharsets.US_ASCII.encode(command + "\n");
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /** Reads until a whole line with the text has come; returns where the text begins. */
    private int lineWith(String text) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(4096);
        while (true) {
            int from = heard.indexOf(text);
            if (from >= 0 && heard.indexOf("\n", from) >= 0) {
                return from;
            }
            if (channel.read(bytes.clear()) < 0) {
                throw new AssertionError("the machine ended; its console said: " + heard);
            }
            heard.append(StandardCharsets.US_ASCII.decode(bytes.flip()));
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
