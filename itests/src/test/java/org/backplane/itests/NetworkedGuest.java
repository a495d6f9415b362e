package org.backplane.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.AssumptionViolatedException;

/**
 * Guests whose first network is plugged in while they run. They start from one snapshot, made by
 * the first test that wants it; it stays in the build's folder, under a name that tells everything
 * it depends on.
 */
final class NetworkedGuest {
    static final String SLOT = "net0";

    /** On which a guest listens. */
    static final int PORT = 5000;

    /** The guest's part that brings networks up leaves eth0 without an address. */
    static final String APPEND =
            "console=ttyS0 quiet cryptomgr.notests=1 backplane.agent backplane.address=";

    private static final String MEMORY = "192M";
    private static final Pattern ANSWERS =
            Pattern.compile("(\\d+) packets transmitted, (\\d+) packets received");

    private NetworkedGuest() {}

    /** Skips the test, with the reason, where the guest is not in the cache. */
    static void assumeGuest() {
        if (!Files.exists(WithGuest.initrd())) {
            skip("there is no guest; './backplane demo' fetches one");
        }
    }

    static void skip(String reason) {
        System.out.println("skipped: " + reason);
        throw new AssumptionViolatedException("skipped: " + reason);
    }

    private static Path folder() {
        return ProjectBundle.root().resolve("itests/target/networked");
    }

    /** A running guest without a network. */
    static GuestProcess start(Path work, String name, List<String> entering) throws Exception {
        return GuestProcess.backplane(
                work, name, entering, List.of("--restore", snapshot(work).toString()));
    }

    static GuestProcess start(Path work, String name) throws Exception {
        return start(work, name, List.of());
    }

    private static Path snapshot(Path work) throws Exception {
        Path snapshot = folder().resolve(key());
        if (Files.isDirectory(snapshot)) {
            return snapshot;
        }
        discardOlder();
        List<String> words =
                List.of(
                        "--kernel",
                        WithGuest.kernel().toString(),
                        "--initrd",
                        WithGuest.initrd().toString(),
                        "--append",
                        APPEND + "none",
                        "--memory",
                        MEMORY);
        try (GuestProcess guest = GuestProcess.backplane(work, "first", List.of(), words)) {
            guest.awaitReady();
            guest.shell("vm:snapshot " + snapshot);
        }
        return snapshot;
    }

    private static String key() throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        for (String bundle : Framework.BOARD) {
            digest.update(Files.readAllBytes(ProjectBundle.named(bundle).jar()));
        }
        for (String bundle : List.of("hart", "machine", "chipset")) {
            digest.update(Files.readAllBytes(ProjectBundle.named(bundle).jar()));
        }
        for (Path file : List.of(WithGuest.kernel(), WithGuest.initrd())) {
            digest.update(
                    "%s %d %s"
                            .formatted(file, Files.size(file), Files.getLastModifiedTime(file))
                            .getBytes());
        }
        return HexFormat.of().formatHex(digest.digest(), 0, 8);
    }

    private static void discardOlder() throws IOException {
        Files.createDirectories(folder());
        try (DirectoryStream<Path> old = Files.newDirectoryStream(folder(), Files::isDirectory)) {
            for (Path snapshot : old) {
                try (DirectoryStream<Path> files = Files.newDirectoryStream(snapshot)) {
                    for (Path file : files) {
                        Files.delete(file);
                    }
                }
                Files.delete(snapshot);
            }
        }
    }

    /**
     * Plugs a network into a guest that has none, which becomes its eth0.
     *
     * @param address with the length of its prefix
     * @param settings of the kind
     */
    static void plug(GuestProcess guest, String address, String... settings) throws Exception {
        guest.shell("vm:plug " + SLOT + " virtio-net " + String.join(" ", settings));
        guest.run(
                "echo 1 > /sys/bus/pci/rescan; "
                        + until("[ -e /sys/class/net/eth0 ]")
                        + "; ip link set eth0 up && ip address add "
                        + address
                        + " dev eth0");
    }

    /** A command that ends when another succeeds, or fails after long. */
    static String until(String command) {
        return "n=0; until "
                + command
                + "; do n=$((n + 1)); [ $n -le 900 ] || exit 1; usleep 100000; done";
    }

    /** Pings and expects every answer. */
    static void pingAll(GuestProcess guest, String address, String options) throws IOException {
        Matcher answers = answers(guest.run("ping -q " + options + " " + address));
        assertEquals(answers.group(), answers.group(1), answers.group(2));
    }

    static Matcher answers(String told) {
        Matcher answers = ANSWERS.matcher(told);
        assertTrue(told, answers.find());
        return answers;
    }

    /** Pings until somebody answers. */
    static void awaitPeer(GuestProcess guest, String address) throws IOException {
        guest.run(until("ping -q -c 1 -W 1 " + address + " > /dev/null"));
    }

    /** Sends a file from one guest to another and compares its digest. */
    static void send(GuestProcess from, GuestProcess to, String address, int bytes)
            throws IOException {
        listen(to);
        from.run("head -c " + bytes + " /dev/urandom > /tmp/sent");
        from.run("nc " + address + " " + PORT + " < /tmp/sent");
        assertEquals(from.run("sha256sum < /tmp/sent"), received(to));
    }

    /**
     * Lets a guest take one connection. Its own direction stays open, on a pipe without an end: the
     * other side's nc would take the end of it for the end of everything.
     */
    static void listen(GuestProcess guest) throws IOException {
        guest.run(
                "[ -e /tmp/open ] || mkfifo /tmp/open; nc -l -p "
                        + PORT
                        + " <> /tmp/open > /tmp/received 2> /dev/null &");
        guest.run(until("netstat -ltn | grep -q :" + PORT));
    }

    /** What sha256sum says of what came over the connection, once that has ended. */
    static String received(GuestProcess guest) throws IOException {
        guest.run(until("! pidof nc > /dev/null"));
        return guest.run("sha256sum < /tmp/received");
    }

    /** Words of a command line. */
    static List<String> words(Object... words) {
        List<String> line = new ArrayList<>();
        for (Object word : words) {
            line.add(word.toString());
        }
        return line;
    }
}
