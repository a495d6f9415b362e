package org.backplane.launcher.trust;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.backplane.launcher.folder.Locations;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrustFolderTest {
    private static final String DIGEST = "0f".repeat(32);

    @TempDir static Path keys;
    private static Signer vendor;

    @TempDir Path temporary;
    private Path folder;

    @BeforeAll
    static void makeKeys() throws Exception {
        vendor = Signer.named(keys, "vendor", "-keyalg", "EC");
    }

    @BeforeEach
    void makeFolder() throws IOException {
        folder = Files.createDirectory(temporary.resolve("trust"));
        mode(folder, "rwxr-xr-x");
    }

    private static void mode(Path file, String permissions) throws IOException {
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
    }

    private Path write(String name, String text) throws IOException {
        Path file = Files.writeString(folder.resolve(name), text);
        mode(file, "rw-r--r--");
        return file;
    }

    private void assertMistake(String mistake) {
        List<String> mistakes = new TrustFolder(folder).mistakes();
        assertEquals(1, mistakes.size(), mistakes::toString);
        assertTrue(mistakes.get(0).contains(mistake), mistakes::toString);
    }

    private TrustedCode code() {
        Optional<TrustedCode> code =
                new TrustFolder(folder)
                        .read(
                                mistake -> {
                                    throw new AssertionError(mistake);
                                });
        return code.orElseThrow();
    }

    @Test
    void readsCertificatesInBothFormsAndSeveralOfAFile() throws Exception {
        String pem = Files.readString(vendor.certificate(folder.resolve("one.pem")));
        write("two.crt", pem + pem);
        Files.write(folder.resolve("three.der"), vendor.encoded());
        assertEquals(4, code().certificates().size());
    }

    @Test
    void readsDigestsAsSha256sumWritesThem() throws IOException {
        write("digests", "# ours\n\n" + DIGEST.toUpperCase() + "  a card.jar\n");
        assertEquals(Map.of(DIGEST, "a card.jar"), code().digests());
        write("digests", DIGEST + " *card.jar");
        assertEquals(Map.of(DIGEST, "card.jar"), code().digests());
    }

    @Test
    void hiddenFilesAreNotRead() throws Exception {
        vendor.certificate(folder.resolve("one.pem"));
        write(".keep", "");
        assertEquals(1, code().certificates().size());
    }

    @Test
    void aFolderThatIsNotThereIsAMistake() throws IOException {
        Files.delete(folder);
        assertMistake("there is no such folder");
        Files.writeString(folder, "a file");
        assertMistake("there is no such folder");
    }

    @Test
    void anEmptyFolderIsAMistake() throws IOException {
        assertMistake("neither a certificate nor a digest");
        write("digests", "# none yet\n");
        assertMistake("neither a certificate nor a digest");
    }

    @Test
    void brokenCertificatesAreMistakes() throws IOException {
        write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        assertMistake("'broken.pem' is no X.509 certificate");
        write("broken.pem", "");
        assertMistake("'broken.pem' holds no certificate");
    }

    @Test
    void aPrivateKeyIsAMistake() throws IOException {
        write("vendor.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
        assertMistake("'vendor.pem' holds a private key");
    }

    @Test
    void weakKeysAreMistakes() throws Exception {
        Signer.named(keys, "weak", "-keyalg", "RSA", "-keysize", "1024")
                .certificate(folder.resolve("weak.pem"));
        assertMistake("the key of 'weak.pem' is RSA of 1024 bits");
        Files.delete(folder.resolve("weak.pem"));
        Signer.named(keys, "old", "-keyalg", "DSA", "-keysize", "2048")
                .certificate(folder.resolve("old.pem"));
        assertMistake("the key of 'old.pem' is DSA");
    }

    @Test
    void filesOfOtherKindsAreMistakes() throws IOException {
        write("vendor.p12", "a key store");
        assertMistake("'vendor.p12' is neither a certificate");
    }

    @Test
    void everyMistakeIsTold() throws IOException {
        write("vendor.p12", "a key store");
        write("broken.pem", "");
        write("digests", DIGEST + "  fine.jar\n0f0f  short.jar\n");
        List<String> mistakes = new TrustFolder(folder).mistakes();
        assertEquals(3, mistakes.size(), mistakes::toString);
        assertTrue(mistakes.get(1).contains("line 2 of 'digests'"), mistakes::toString);
    }

    @Test
    void whatOthersCanWriteIsAMistake() throws Exception {
        Path file = vendor.certificate(folder.resolve("one.pem"));
        mode(file, "rw-rw-r--");
        assertMistake("'one.pem' can be written by other users");
        mode(file, "rw-r--r--");
        mode(folder, "rwxrwxrwx");
        assertMistake("it can be written by other users; take that away: chmod go-w " + folder);
    }

    @Test
    void whatCannotBeReadIsAMistake() throws IOException {
        assumeFalse(Locations.uid() == 0, "root reads everything");
        mode(write("digests", DIGEST + "  card.jar\n"), "---------");
        assertMistake("'digests' cannot be read");
        mode(folder, "-wx------");
        assertMistake("it cannot be read");
        mode(folder, "rwxr-xr-x");
    }
}
