package org.backplane.shell.socket;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.apache.felix.gogo.runtime.CommandProcessorImpl;
import org.apache.felix.gogo.runtime.threadio.ThreadIOImpl;
import org.backplane.shell.RecordedMachine;
import org.backplane.shell.command.BundleCommands;
import org.backplane.shell.command.Catalogue;
import org.backplane.shell.command.Command;
import org.backplane.shell.command.CurrentMachine;
import org.backplane.shell.command.DeviceBundles;
import org.backplane.shell.command.GogoCommand;
import org.backplane.shell.command.ShellException;
import org.backplane.shell.format.ReportFormat;
import org.backplane.shell.terminal.CommandHistory;
import org.backplane.shell.terminal.GogoShell;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.osgi.framework.Bundle;

@Timeout(120)
class ShellServerTest {
    /** One for all tests: it replaces the process's standard streams. */
    private static final ThreadIOImpl STREAMS = new ThreadIOImpl();

    private final CommandProcessorImpl processor = new CommandProcessorImpl(STREAMS);
    private final Probes probes = new Probes();
    private Path folder;
    private Path socket;
    private GogoShell shell;
    private ShellServer server;

    /** Commands that a test can hold on to. */
    public static final class Probes {
        final CountDownLatch begun = new CountDownLatch(1);
        final CountDownLatch interrupted = new CountDownLatch(1);
        final CountDownLatch released = new CountDownLatch(1);

        public String hold() {
            begun.countDown();
            try {
                released.await();
                return "released";
            } catch (InterruptedException stop) {
                interrupted.countDown();
                return "interrupted";
            }
        }

        public void chatter() {
            begun.countDown();
            while (!Thread.currentThread().isInterrupted()) {
                System.out.println("still here");
            }
            interrupted.countDown();
        }

        public void fail(String... words) throws ShellException {
            throw new ShellException("It failed: " + String.join(" ", words) + ".");
        }

        public void echo(String word) {
            System.out.println(word);
        }

        public String firstLine() throws IOException {
            return new BufferedReader(new InputStreamReader(System.in)).readLine();
        }

        public String zero() {
            return "a\0b";
        }

        public List<String> nothing() {
            return List.of();
        }

        public String umlaut() {
            return "\u00fc";
        }
    }

    @BeforeAll
    static void divertStreams() {
        STREAMS.start();
    }

    @AfterAll
    static void restoreStreams() {
        STREAMS.stop();
    }

    @BeforeEach
    void serve() throws Exception {
        processor.addCommand("test", probes);
        Catalogue catalogue =
                Catalogue.of(
                        new CurrentMachine(RecordedMachine::new),
                        new DeviceBundles(() -> new Bundle[0]),
                        new BundleCommands(null));
        for (Command command : catalogue.commands()) {
            processor.addCommand(command.scope(), new GogoCommand(command), command.name());
        }
        processor.addConverter(new ReportFormat());
        shell = new GogoShell(processor, catalogue, new CommandHistory(Optional.empty()));
        // The path of a socket must be short; a folder of the build may be too deep.
        folder =
                Files.createTempDirectory(
                        "shell",
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rwx------")));
        socket = folder.resolve("shell.sock");
        server = ShellServer.open(socket, shell);
    }

    @AfterEach
    void end() throws IOException {
        server.close();
        probes.released.countDown();
        processor.stop();
        Files.deleteIfExists(socket);
        Files.delete(folder);
    }

    private SocketChannel connect(String text) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        channel.connect(UnixDomainSocketAddress.of(socket));
        send(channel, text);
        return channel;
    }

    private static void send(SocketChannel channel, String text) throws IOException {
        ByteBuffer bytes = StandardCharsets.UTF_8.encode(text);
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    private static String all(SocketChannel channel) throws IOException {
        StringBuilder text = new StringBuilder();
        ByteBuffer bytes = ByteBuffer.allocate(1 << 16);
        while (channel.read(bytes) >= 0) {
            text.append(StandardCharsets.UTF_8.decode(bytes.flip()));
            bytes.clear();
        }
        return text.toString();
    }

    private String answer(String text) throws IOException {
        try (SocketChannel channel = connect(text)) {
            return all(channel);
        }
    }

    private static List<Thread> serverThreads() {
        Thread[] threads = new Thread[Thread.activeCount() + 64];
        int count = Thread.enumerate(threads);
        List<Thread> found = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            if (threads[i].getName().startsWith("shell-")) {
                found.add(threads[i]);
            }
        }
        return found;
    }

    @Test
    void onlyItsOwnerMayConnect() throws IOException {
        assertEquals(
                "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)));
    }

    @Test
    void refusesAFolderThatIsOpenToOthers() throws IOException {
        server.close();
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        ShellException refusal =
                assertThrows(ShellException.class, () -> ShellServer.open(socket, shell));
        assertTrue(refusal.getMessage().contains("rwxr-xr-x"), refusal.getMessage());
        assertFalse(Files.exists(socket));
    }

    @Test
    void refusesAPathThatIsTooLongWithASentence() {
        Path tooLong = folder.resolve("x".repeat(120));
        ShellException refusal =
                assertThrows(ShellException.class, () -> ShellServer.open(tooLong, shell));
        assertTrue(refusal.getMessage().contains(tooLong.toString()), refusal.getMessage());
    }

    @Test
    void takesThePlaceOfASocketLeftOver() throws Exception {
        server.close();
        try (ServerSocketChannel old = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            old.bind(UnixDomainSocketAddress.of(socket));
        }
        assertTrue(Files.exists(socket));
        server = ShellServer.open(socket, shell);
        assertEquals("hello\n\0status 0\n", answer("exec echo hello\n"));
    }

    @Test
    void formatsWhatACommandReturns() throws IOException {
        String answer = answer("exec vm:slots\n");
        assertTrue(answer.startsWith("SLOT "), answer);
        assertTrue(answer.contains("\ndisk0 "), answer);
        assertTrue(answer.endsWith("\n\0status 0\n"), answer);
    }

    @Test
    void formatsForTheNextInAPipe() throws IOException {
        String answer = answer("exec vm:slots | firstLine\n");
        assertTrue(answer.startsWith("SLOT "), answer);
        assertTrue(answer.endsWith("SOURCE\n\0status 0\n"), answer);
    }

    @Test
    void failedCommandHasStatusOneAndASentence() throws IOException {
        assertEquals("It failed: a b.\n\0status 1\n", answer("exec fail a b\n"));
        assertEquals("'now' is too much: vm:slots.\n\0status 1\n", answer("exec vm:slots now\n"));
        assertEquals(
                "There is no slot 'disk7'; there is: disk0.\n\0status 1\n",
                answer("exec vm:inspect disk7\n"));
    }

    @Test
    void unknownCommandAndBadSyntaxHaveStatusOne() throws IOException {
        assertEquals(
                "There is no command 'nonsense'; help lists them.\n\0status 1\n",
                answer("exec nonsense\n"));
        assertTrue(answer("exec echo {\n").endsWith("\n\0status 1\n"));
    }

    @Test
    void outputNeverHoldsTheTrailersFirstByte() throws IOException {
        assertEquals("ab\n\0status 0\n", answer("exec zero\n"));
    }

    @Test
    void emptyListPrintsNothing() throws IOException {
        assertEquals("\0status 0\n", answer("exec nothing\n"));
    }

    @Test
    void speaksUtf8() throws IOException {
        assertEquals("\u00fc\n\0status 0\n", answer("exec umlaut\n"));
    }

    @Test
    void answersInJson() throws IOException {
        assertEquals(
                "[\"org.backplane.device.virtio.blk 0.9.0 (bundle 11)\"]\n\0status 0\n",
                answer("json vm:stale\n"));
        assertEquals(
                "{\"error\":\"There is no slot 'disk7'; there is: disk0.\",\"status\":1}\n"
                        + "\0status 1\n",
                answer("json vm:inspect disk7\n"));
        assertEquals(answer("json vm:slots\n"), answer("exec vm:slots --json\n"));
        assertEquals(answer("json vm:history\n"), answer("exec vm:history --json\n"));
        assertEquals("{\"output\":\"x\\n\"}\n\0status 0\n", answer("json echo x\n"));
    }

    @Test
    void drawsAsWideAsTheTerminal() throws IOException {
        String wide = answer("terminal xterm-256color 120 30\nexec vm:map --draw\n");
        assertTrue(wide.endsWith("\r\n\0status 0\n"), wide);
        assertTrue(wide.contains("\033["), wide);
        int longest =
                wide.lines()
                        .mapToInt(line -> line.replaceAll("\033\\[[0-9;]*m", "").length())
                        .max()
                        .orElse(0);
        assertEquals(119, longest);
        String plain = answer("exec vm:map --draw\n");
        assertFalse(plain.contains("\033") || plain.contains("\r"), plain);
        // What another command reads is not on the terminal.
        String piped = answer("terminal xterm 120 30\nexec vm:map --draw | firstLine\n");
        assertFalse(piped.contains("\033"), piped);
    }

    @Test
    void interactiveSessionTakesKeysAndSizes() throws IOException {
        try (SocketChannel channel = connect("terminal xterm 80 24 /\nsession\n")) {
            await(channel, "backplane> ");
            send(channel, "echo a");
            channel.write(ByteBuffer.wrap(new byte[] {(byte) 0xff}));
            send(channel, "100 30\nb\r");
            await(channel, "\r\n");
            await(channel, "ab\r\n");
            send(channel, "exit\r");
            all(channel);
        }
    }

    @Test
    void interruptsACommandOnATerminalWhoseClientVanished() throws Exception {
        SocketChannel channel = connect("terminal xterm 80 24\nexec hold\n");
        awaitBegun();
        channel.close();
        probes.interrupted.await();
    }

    @Test
    void wrongDescriptionOfATerminalGetsASentence() throws IOException {
        assertEquals(
                "'xterm wide' describes no terminal: terminal TYPE COLUMNS ROWS [FOLDER].\n",
                answer("terminal xterm wide\nsession\n"));
        assertEquals(
                "Begin with 'exec COMMAND LINE', 'json COMMAND LINE' or 'session'.\n",
                answer("terminal xterm 80 24\nhello\n"));
    }

    private static void await(SocketChannel channel, String text) throws IOException {
        StringBuilder seen = new StringBuilder();
        ByteBuffer one = ByteBuffer.allocate(1);
        while (seen.indexOf(text) < 0 && channel.read(one.clear()) >= 0) {
            seen.append((char) one.get(0));
        }
        assertTrue(seen.indexOf(text) >= 0, seen.toString());
    }

    @Test
    void wrongFirstLineGetsASentence() throws IOException {
        assertEquals(
                "Begin with 'exec COMMAND LINE', 'json COMMAND LINE' or 'session'.\n",
                answer("hello\n"));
    }

    @Test
    void lineWithoutAnEndGetsASentence() throws IOException {
        assertEquals("The line is longer than 65536 bytes.\n", answer("x".repeat(65_537)));
    }

    @Test
    void sessionRunsLineAfterLineUntilExit() throws IOException {
        assertEquals(
                "backplane> one\nbackplane> backplane> It failed: x.\nbackplane> two\nbackplane> ",
                answer("session\necho one\n\nfail x\r\necho two\nexit\n"));
    }

    @Test
    void sessionRemembersVariables() throws IOException {
        assertEquals(
                "backplane> 5\nbackplane> 5\nbackplane> ",
                answer("session\nx = 5\necho $x\nexit\n"));
    }

    @Test
    void exitBeforeTheClientsEndLetsEarlierLinesFinish() throws IOException {
        try (SocketChannel channel = connect("session\nhold\necho after\nexit\n")) {
            channel.shutdownOutput();
            awaitBegun();
            probes.released.countDown();
            assertEquals("backplane> released\nbackplane> after\nbackplane> ", all(channel));
        }
    }

    @Test
    void severalSessionsRunAtOnce() throws IOException {
        try (SocketChannel holding = connect("exec hold\n")) {
            awaitBegun();
            assertEquals("meanwhile\n\0status 0\n", answer("exec echo meanwhile\n"));
            probes.released.countDown();
            assertEquals("released\n\0status 0\n", all(holding));
        }
    }

    @Test
    void interruptsASilentCommandWhoseClientVanished() throws Exception {
        SocketChannel channel = connect("exec hold\n");
        awaitBegun();
        channel.close();
        probes.interrupted.await();
    }

    @Test
    void interruptsASilentCommandOfASessionWhoseClientVanished() throws Exception {
        SocketChannel channel = connect("session\nhold\n");
        awaitBegun();
        channel.close();
        probes.interrupted.await();
    }

    @Test
    void interruptsATalkingCommandWhoseClientVanished() throws Exception {
        SocketChannel channel = connect("exec chatter\n");
        awaitBegun();
        channel.close();
        probes.interrupted.await();
    }

    @Test
    void noThreadIsLeftWhenClientsVanish() throws Exception {
        for (int i = 0; i < 10; i++) {
            connect("session\n").close();
            connect("exec hold\n").close();
            connect("").close();
        }
        assertEquals("last\n\0status 0\n", answer("exec echo last\n"));
        for (Thread thread : serverThreads()) {
            if (!thread.getName().equals("shell-accept")) {
                thread.join();
            }
        }
    }

    @Test
    void closingEndsEveryThreadAndRemovesTheSocket() throws Exception {
        try (SocketChannel session = connect("session\n");
                SocketChannel holding = connect("exec hold\n")) {
            awaitBegun();
            awaitPrompt(session);
            List<Thread> threads = serverThreads();
            assertTrue(threads.size() >= 5, threads.toString());
            server.close();
            for (Thread thread : threads) {
                thread.join();
            }
            assertFalse(Files.exists(socket));
            assertFalse(all(holding).contains("status 0"));
            assertEquals("", all(session));
        }
    }

    private static void awaitPrompt(SocketChannel session) throws IOException {
        ByteBuffer prompt = ByteBuffer.allocate("backplane> ".length());
        while (prompt.hasRemaining() && session.read(prompt) >= 0) {
            assertTrue(prompt.position() > 0);
        }
    }

    @Test
    void turnsClientsAwayWhenThereAreTooMany() throws IOException {
        List<SocketChannel> sessions = new ArrayList<>();
        try {
            for (int i = 0; i < 64; i++) {
                sessions.add(connect("session\n"));
            }
            for (SocketChannel session : sessions) {
                awaitPrompt(session);
            }
            assertEquals("There are 64 sessions; close one.\n", answer(""));
        } finally {
            for (SocketChannel session : sessions) {
                session.close();
            }
        }
    }

    private void awaitBegun() {
        try {
            probes.begun.await();
        } catch (InterruptedException stop) {
            throw new AssertionError(stop);
        }
    }
}
