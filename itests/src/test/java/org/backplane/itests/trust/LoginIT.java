package org.backplane.itests.trust;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;
import static org.junit.Assume.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.backplane.itests.Backplane;
import org.backplane.itests.Backplane.Answer;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;

/** A machine of the distribution with {@code --ssh}, and OpenSSH's client. */
public final class LoginIT {
    private Path folder;
    private Backplane machine;
    private String port;

    @Before
    public void run() throws Exception {
        for (String program : List.of("ssh", "ssh-keygen", "script")) {
            boolean there =
                    Stream.of(System.getenv("PATH").split(File.pathSeparator))
                            .anyMatch(place -> Files.isExecutable(Path.of(place, program)));
            if (!there) {
                System.out.println("LoginIT skipped: there is no " + program);
            }
            assumeTrue("there is no " + program, there);
        }
        folder = Files.createTempDirectory("bp");
        for (String name : List.of("friend", "stranger")) {
            Answer made =
                    ran(List.of("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", name), "");
            assertEquals(made.text(), 0, made.status());
        }
        Files.setPosixFilePermissions(
                folder.resolve("friend.pub"), PosixFilePermissions.fromString("rw-r--r--"));
        machine = Backplane.run(folder, "--ssh", "0,keys=" + folder.resolve("friend.pub"));
        Path told = folder.resolve(machine.name()).resolve("ssh");
        machine.waitUntil(() -> Files.exists(told) && read(told).endsWith("\n"));
        port = read(told).strip().replaceAll("^127\\.0\\.0\\.1:", "");
    }

    @After
    public void end() throws Exception {
        if (machine != null) {
            machine.close();
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Answer ran(List<String> command, String typed) throws Exception {
        Process process =
                new ProcessBuilder(command)
                        .directory(folder.toFile())
                        .redirectErrorStream(true)
                        .start();
        try (var in = process.getOutputStream()) {
            in.write(typed.getBytes(StandardCharsets.UTF_8));
        }
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Answer(process.waitFor(), text);
    }

    private List<String> ssh(String key, String... words) {
        List<String> command = new ArrayList<>();
        command.addAll(
                List.of(
                        "ssh",
                        "-F",
                        "none",
                        "-i",
                        key,
                        "-p",
                        port,
                        "-o",
                        "LogLevel=ERROR",
                        "-o",
                        "UserKnownHostsFile=known",
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

    @Test
    public void theShellIsThereForWhoHasAKeyAndNothingElse() throws Exception {
        machine.waitUntil(
                () -> read(folder.resolve("out")).contains("log in by SSH at 127.0.0.1:" + port));
        Answer slots = ran(ssh("friend", "127.0.0.1", "vm:slots"), "");
        assertEquals(slots.text(), 0, slots.status());
        assertEquals(machine.shell("vm:slots").text(), slots.text());
        assertEquals(1, ran(ssh("friend", "127.0.0.1", "vm:unplug nothing"), "").status());

        Answer stranger = ran(ssh("stranger", "127.0.0.1", "vm:slots"), "");
        assertEquals(255, stranger.status());
        assertTrue(stranger.text(), stranger.text().contains("Permission denied (publickey)"));

        String session = String.join("' '", ssh("friend", "-tt", "127.0.0.1"));
        Answer typed =
                ran(
                        List.of("script", "-qec", "'" + session + "'", "/dev/null"),
                        "vm:slots\rexit\r");
        assertEquals(typed.text(), 0, typed.status());
        assertTrue(typed.text(), typed.text().contains("goldfish-rtc"));

        Path key = folder.resolve("backplane").resolve("ssh_host_key");
        assertEquals(
                "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(key)));
    }
}
