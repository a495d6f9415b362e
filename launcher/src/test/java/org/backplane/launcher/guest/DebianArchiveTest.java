package org.backplane.launcher.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DebianArchiveTest {
    private static final String DIGEST = "0123456789abcdef".repeat(4);

    @TempDir Path folder;

    @Test
    void choosesTheHostsMainArchive() throws IOException {
        assertEquals(
                "http://mirror.example/debian/",
                DebianArchive.chooseMirror(
                        List.of(
                                "cdrom://x/ main bookworm Debian",
                                "http://mirror.example/ppa/ main jammy Other",
                                "http://mirror.example/debian-security/ main bookworm-security"
                                        + " Debian",
                                "http://mirror.example/debian/ contrib bookworm Debian",
                                "http://mirror.example/debian/ main bookworm Debian",
                                "http://other.example/debian/ main bookworm Debian")));
    }

    @Test
    void choosesAMirrorWhoseIndexWasNeverFetched() throws IOException {
        assertEquals(
                "http://mirror.example/debian/",
                DebianArchive.chooseMirror(
                        List.of("http://mirror.example/debian/ main bookworm $(ORIGIN)")));
    }

    @Test
    void knowsTheNetworkInWhatAptSays() {
        assertEquals(
                Optional.of("Could not resolve 'deb.example'"),
                DebianArchive.whyUnreachable(
                        "apt-get failed with status 100: E: Failed to fetch"
                                + " http://deb.example/dists/trixie/InRelease  Could not resolve"
                                + " 'deb.example'\nE: Some index files failed to download."));
        assertEquals(
                Optional.empty(),
                DebianArchive.whyUnreachable(
                        "apt-get failed with status 100: E: The repository 'file:/x trixie Release'"
                                + " does not have a Release file."));
    }

    @Test
    void saysWhatToDoWithoutAMirror() {
        String refusal =
                assertThrows(IOException.class, () -> DebianArchive.chooseMirror(List.of("")))
                        .getMessage();
        assertTrue(refusal.contains("--mirror"), refusal);
    }

    @Test
    void readsALineOfApt() throws IOException {
        String line =
                "'http://m.example/pool/b_1%3a2_riscv64.deb' b_1%3a2_riscv64.deb 123 SHA256:"
                        + DIGEST;
        Package read = Package.parse(line);
        assertEquals(
                new Package(
                        "http://m.example/pool/b_1%3a2_riscv64.deb",
                        "b_1%3a2_riscv64.deb", 123, DIGEST),
                read);
        assertEquals("b", read.name());
        assertEquals(line, read.line());
    }

    @Test
    void refusesALineWithoutAStrongDigestOrWithAPath() {
        assertThrows(IOException.class, () -> Package.parse("'u' b_1_x.deb 5 MD5Sum:" + DIGEST));
        assertThrows(IOException.class, () -> Package.parse("'u' ../b_1_x.deb 5 SHA256:" + DIGEST));
    }

    @Test
    void keepsTheRecordOfACache() throws IOException {
        Path file = folder.resolve("guest.properties");
        assertEquals(Optional.empty(), GuestRecord.read(file));
        GuestRecord record =
                new GuestRecord(
                        List.of(
                                new Package("u", "a_1_x.deb", 1, DIGEST),
                                new Package("v", "b_1_x.deb", 2, DIGEST)),
                        "r",
                        "k",
                        "i");
        record.write(file);
        assertEquals(Optional.of(record), GuestRecord.read(file));
        Files.writeString(file, "package.0=rubbish\n");
        assertEquals(Optional.empty(), GuestRecord.read(file));
        Files.writeString(file, "package.0=\\u00zz\n");
        assertEquals(Optional.empty(), GuestRecord.read(file));
    }
}
