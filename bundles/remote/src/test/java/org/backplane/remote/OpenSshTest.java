package org.backplane.remote;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The client that people use: OpenSSH's, in a terminal that {@code script} makes. */
@Timeout(180)
class OpenSshTest {
    @TempDir Path folder;
    private Door door;
    private Path identity;

    @BeforeEach
    void open() throws Exception {
        for (String program : List.of("ssh", "script")) {
            boolean there =
                    Stream.of(System.getenv("PATH").split(File.pathSeparator))
                            .anyMatch(place -> Files.isExecutable(Path.of(place, program)));
            if (!there) {
                System.out.println("skipped: there is no " + program);
            }
            assumeTrue(there, "there is no " + program);
        }
        door = new Door(folder);
        identity = Door.write(door.friend, folder.resolve("id"));
    }

    @AfterEach
    void close() {
        if (door != null) {
            door.close();
        }
    }

    private List<String> ssh(Path key, String... words) {
        List<String> command = new ArrayList<>();
        command.addAll(
                List.of(
                        "ssh",
                        "-F",
                        "none",
                        "-i",
                        key.toString(),
                        "-p",
                        "" + door.port(),
                        "-o",
                        "UserKnownHostsFile=" + folder.resolve("known"),
                        "-o",
                        "StrictHostKeyChecking=accept-new",
                        "-o",
                        "IdentitiesOnly=yes",
                        "-o",
                        "IdentityAgent=none",
                        "-o",
                        "BatchMode=yes"));
        command.addAll(Arrays.asList(words));
        return command;
    }

    private static Process start(List<String> command) throws IOException {
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("TERM", "vt220");
        return builder.start();
    }

    private record Answer(int status, String out) {}

    private static Answer run(List<String> command, String in) throws Exception {
        Process process = start(command);
        try (OutputStream typed = process.getOutputStream()) {
            typed.write(in.getBytes(StandardCharsets.UTF_8));
        }
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Answer(process.waitFor(), out);
    }

    private static String awaitText(InputStream in, String text) throws IOException {
        var found = new StringBuilder();
        while (!found.toString().endsWith(text)) {
            int next = in.read();
            assertTrue(next >= 0, () -> "ended after " + found);
            found.append((char) next);
        }
        return found.toString();
    }

    private void awaitEvent(String event) throws InterruptedException {
        String found = door.shell.events.poll(60, TimeUnit.SECONDS);
        while (found != null && !found.equals(event)) {
            found = door.shell.events.poll(60, TimeUnit.SECONDS);
        }
        assertEquals(event, found);
    }

    @Test
    void runsOneCommandWithItsStatus() throws Exception {
        run(ssh(identity, "127.0.0.1", "vm:slots"), "");
        assertEquals(
                new Answer(0, "uart0\nrng0\n"), run(ssh(identity, "127.0.0.1", "vm:slots"), ""));
        assertEquals(1, run(ssh(identity, "127.0.0.1", "jump"), "").status());
        assertEquals(
                new Answer(0, "a line\n"), run(ssh(identity, "127.0.0.1", "copy"), "a line\n"));
    }

    @Test
    void refusesAKeyThatIsNotListedAndOffersNothingElse() throws Exception {
        Path stranger = Door.write(Door.key(), folder.resolve("stranger"));
        Answer answer = run(ssh(stranger, "-v", "127.0.0.1", "vm:slots"), "");
        assertEquals(255, answer.status());
        assertTrue(answer.out().contains("Permission denied (publickey)."), answer::out);
    }

    @Test
    void refusesToForwardAPort() throws Exception {
        Answer remote =
                run(
                        ssh(
                                identity,
                                "-o",
                                "ExitOnForwardFailure=yes",
                                "-R",
                                "0:127.0.0.1:9",
                                "127.0.0.1",
                                "vm:slots"),
                        "");
        assertEquals(255, remote.status(), remote::out);
        Answer local = run(ssh(identity, "-W", "127.0.0.1:" + door.port(), "127.0.0.1"), "");
        assertNotEquals(0, local.status());
        assertTrue(!local.out().contains("SSH-2.0"), local::out);
    }

    /** {@code script} and what it runs have a terminal of their own. */
    private List<String> inTerminal(int rows, int columns, List<String> command) {
        var line = new StringBuilder("stty rows " + rows + " cols " + columns + " && exec");
        command.forEach(word -> line.append(" '").append(word).append("'"));
        return List.of("script", "-qec", line.toString(), "/dev/null");
    }

    @Test
    void aSessionInATerminal() throws Exception {
        Process process = start(inTerminal(31, 97, ssh(identity, "-tt", "127.0.0.1")));
        InputStream out = process.getInputStream();
        awaitText(out, "played> ");
        awaitEvent("open vt220 97x31");
        OutputStream in = process.getOutputStream();
        // Ctrl-C is the shell's, not the client's end.
        in.write(new byte[] {'a', 3});
        in.flush();
        awaitText(out, "<a><\3>");
        in.write('q');
        in.flush();
        awaitText(out, "bye");
        out.readAllBytes();
        assertEquals(0, process.waitFor());
    }

    @Test
    void aCommandInATerminalKnowsItsSize() throws Exception {
        Answer answer = run(inTerminal(31, 97, ssh(identity, "-tt", "127.0.0.1", "vm:slots")), "");
        assertEquals(0, answer.status(), answer::out);
        awaitEvent("terminal vt220 97x31");
    }

    @Test
    void aClientThatIsKilledInterruptsWhatItRan() throws Exception {
        Process process = start(ssh(identity, "127.0.0.1", "wait"));
        awaitText(process.getInputStream(), "waiting\n");
        process.destroyForcibly();
        awaitEvent("interrupted");
        process.waitFor();
    }
}
