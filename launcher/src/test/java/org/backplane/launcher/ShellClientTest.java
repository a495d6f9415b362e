package org.backplane.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.backplane.launcher.terminal.LocalTerminal;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ShellClientTest {
    private static final LocalTerminal TERMINAL =
            new LocalTerminal("xterm", new LocalTerminal.Size(80, 24));

    @TempDir Path folder;

    private final ByteArrayOutputStream output = new ByteArrayOutputStream();
    private Path socket;
    private ServerSocketChannel server;

    @BeforeEach
    void listen() throws IOException {
        socket = folder.resolve("shell.sock");
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(socket));
    }

    @AfterEach
    void close() throws IOException {
        server.close();
    }

    /** Serves one client: reads up to and with some text, then sends the answers and closes. */
    private CompletableFuture<String> serve(String until, String... answers) {
        CompletableFuture<String> heard = new CompletableFuture<>();
        Thread thread =
                new Thread(
                        () -> {
                            StringBuilder text = new StringBuilder();
                            try (SocketChannel client = server.accept()) {
                                ByteBuffer one = ByteBuffer.allocate(1);
                                while (text.indexOf(until) < 0 && client.read(one.clear()) > 0) {
                                    text.append((char) one.get(0));
                                }
                                for (String answer : answers) {
                                    client.write(StandardCharsets.UTF_8.encode(answer));
                                }
                            } catch (IOException e) {
                                heard.completeExceptionally(e);
                            }
                            heard.complete(text.toString());
                        });
        thread.setDaemon(true);
        thread.start();
        return heard;
    }

    private int execute(String command) throws IOException {
        try (ShellClient client = ShellClient.connect(socket)) {
            return client.execute(command, new PrintStream(output));
        }
    }

    @Test
    void copiesTheOutputAndReturnsTheStatus() throws Exception {
        CompletableFuture<String> heard = serve("\n", "one\ntw", "o ü\n\0sta", "tus 0\n");
        assertEquals(0, execute("vm:slots"));
        assertEquals("exec vm:slots\n", heard.get());
        assertEquals("one\ntwo ü\n", output.toString(StandardCharsets.UTF_8));
    }

    @Test
    void returnsTheStatusOfACommandThatFailed() throws IOException {
        serve("\n", "no slot is called x\n\0status 1\n");
        assertEquals(1, execute("vm:inspect x"));
    }

    @Test
    void failsWhenTheMachineGoesAwayBeforeTheStatus() throws IOException {
        serve("\n", "half");
        assertEquals(ExitStatus.FAILED, execute("vm:stop"));
        assertEquals("half", output.toString(StandardCharsets.UTF_8));
    }

    @Test
    void copiesASessionBothWays() throws Exception {
        CompletableFuture<String> heard = serve("exit\n", "g! ", "bye\n");
        try (ShellClient client = ShellClient.connect(socket)) {
            byte[] typed = "lb\nexit\n".getBytes(StandardCharsets.UTF_8);
            assertEquals(
                    0, client.session(new ByteArrayInputStream(typed), new PrintStream(output)));
        }
        assertEquals("session\nlb\nexit\n", heard.get());
        assertEquals("g! bye\n", output.toString(StandardCharsets.UTF_8));
    }

    @Test
    void saysThatNobodyListens() throws IOException {
        server.close();
        String refusal =
                assertThrows(IOException.class, () -> ShellClient.connect(socket)).getMessage();
        assertTrue(refusal.contains("does not answer"), refusal);
    }

    @Test
    void tellsTheTerminalItsChangesAndTheKeys() throws Exception {
        CompletableFuture<String> heard = serve("keys", "\033[1mshown\r\n");
        try (ShellClient client = ShellClient.connect(socket)) {
            assertEquals(
                    0,
                    client.interact(
                            TERMINAL,
                            new ByteArrayInputStream("some keys".getBytes(StandardCharsets.UTF_8)),
                            new PrintStream(output)));
        }
        String text = heard.get();
        String first = "terminal xterm 80 24 " + Path.of("").toAbsolutePath() + "\nsession\n";
        assertTrue(text.startsWith(first), text);
        // The size is told once more with the watch on it, in whatever order with the keys.
        assertTrue(text.contains("\uffff80 24\n") && text.contains("some keys"), text);
        assertEquals("\033[1mshown\r\n", output.toString());
    }

    @Test
    void drawsOneCommandOnATerminal() throws Exception {
        CompletableFuture<String> heard = serve("vm:map\n", "a\r\n\0status 0\n");
        try (ShellClient client = ShellClient.connect(socket)) {
            assertEquals(0, client.execute("vm:map", TERMINAL, new PrintStream(output)));
        }
        assertTrue(heard.get().startsWith("terminal xterm 80 24 /"), heard.get());
        assertTrue(heard.get().endsWith("\nexec vm:map\n"), heard.get());
        assertEquals("a\r\n", output.toString());
    }

    @Test
    void asksForJson() throws Exception {
        CompletableFuture<String> heard =
                serve("\n", "{\"error\":\"no\",\"status\":1}\n\0status 1\n");
        try (ShellClient client = ShellClient.connect(socket)) {
            assertEquals(1, client.executeForJson("vm:x", new PrintStream(output)));
        }
        assertEquals("json vm:x\n", heard.get());
        assertEquals("{\"error\":\"no\",\"status\":1}\n", output.toString());
    }
}
