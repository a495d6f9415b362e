package org.backplane.launcher.option;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SshOptionTest {
    @TempDir Path folder;
    private final Problems problems = new Problems();
    private Path usual;

    @BeforeEach
    void makeKeys() throws IOException {
        usual = keys("usual");
    }

    private Path keys(String name) throws IOException {
        Path file = Files.writeString(folder.resolve(name), "ssh-ed25519 AAAA\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        return file;
    }

    private Optional<SshPlan> read(String text) {
        return SshOption.read(text, usual, problems);
    }

    private void assertRefused(String text, String reason) {
        int before = problems.count();
        assertEquals(Optional.empty(), read(text));
        assertEquals(before + 1, problems.count(), () -> "" + problems.sentences());
        String sentence = problems.sentences().get(before);
        assertTrue(sentence.startsWith("--ssh ") && sentence.contains(reason), sentence);
    }

    @Test
    void isLoopbackAndTheUsualKeysUnlessOthersAreWritten() throws IOException {
        assertEquals(
                Optional.of(new SshPlan(new ListenAddress("127.0.0.1", 0, true), usual)),
                read("0"));
        Path other = keys("a,b");
        assertEquals(
                Optional.of(new SshPlan(new ListenAddress("0.0.0.0", 0, false), other)),
                read("0.0.0.0:0,keys=" + folder + "/a,,b"));
        assertTrue(problems.isEmpty());
    }

    @Test
    void refusesWhatIsNoAddressAndPort() throws IOException {
        assertRefused("x", "ADDRESS:PORT");
        assertRefused("127.0.0.1", "ADDRESS:PORT");
        try (var other = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            assertRefused("" + other.getLocalPort(), "nothing can listen there");
        }
    }

    @Test
    void refusesSettingsThatItDoesNotHave() {
        assertRefused("0,password=x", "'password' is no setting of it; there is only keys=FILE");
        assertRefused("0,keys=" + usual + ",keys=" + usual, "keys is given twice");
    }

    @Test
    void refusesKeysThatAreNotThereOrThatOthersCanWrite() throws IOException {
        assertRefused("0,keys=" + folder.resolve("none"), "there is no file of keys");
        assertRefused("0,keys=" + folder, "there is no file of keys");
        assertRefused("0,keys=", "give a path");
        Files.setPosixFilePermissions(usual, PosixFilePermissions.fromString("rw-rw-r--"));
        assertRefused("0", "chmod go-w " + usual);
    }
}
