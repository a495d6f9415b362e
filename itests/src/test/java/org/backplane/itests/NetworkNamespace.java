package org.backplane.itests;

import static org.junit.Assert.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * A network namespace of a test's own with a tap in it: nothing of the host's network is touched.
 * It takes root.
 */
final class NetworkNamespace implements AutoCloseable {
    static final String TAP = "tap0";

    private final String name = "backplane-" + ProcessHandle.current().pid();
    private final String address;

    /**
     * @param address of the host's end of the tap, with the length of its prefix
     */
    NetworkNamespace(String address) throws Exception {
        this.address = address;
        if (!JoinedGuestsIT.isOnPath("ip")) {
            NetworkedGuest.skip("ip is missing; install it: apt-get install iproute2");
        }
        if (!Files.isWritable(Path.of("/dev/net/tun"))) {
            NetworkedGuest.skip("/dev/net/tun cannot be opened by this user; run as root");
        }
        Result added = result(List.of("ip", "netns", "add", name));
        if (added.status() != 0) {
            NetworkedGuest.skip("no network namespace can be made: " + added.text());
        }
        try {
            addTap();
        } catch (Exception | AssertionError failed) {
            close();
            throw failed;
        }
    }

    void addTap() throws Exception {
        host("ip tuntap add dev " + TAP + " mode tap");
        host("ip address add " + address + " dev " + TAP);
        host("ip link set " + TAP + " up");
    }

    void removeTap() throws Exception {
        host("ip link del " + TAP);
    }

    /** The beginning of a command line that runs in the namespace. */
    List<String> entering() {
        return List.of("ip", "netns", "exec", name);
    }

    private record Result(int status, String text) {}

    private static Result result(List<String> command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String text = new String(process.getInputStream().readAllBytes()).strip();
        return new Result(process.waitFor(), text);
    }

    /** Runs a command of the host's shell in the namespace, which must succeed. */
    String host(String command) throws Exception {
        List<String> line =
                Stream.concat(entering().stream(), Stream.of("bash", "-c", command)).toList();
        Result result = result(line);
        assertEquals("'%s': %s".formatted(command, result.text()), 0, result.status());
        return result.text();
    }

    /** A counter of the tap, as the host's end sees it. */
    long counter(String counter) throws Exception {
        return Long.parseLong(host("cat /sys/class/net/" + TAP + "/statistics/" + counter));
    }

    @Override
    public void close() throws IOException, InterruptedException {
        new ProcessBuilder("ip", "netns", "del", name).inheritIO().start().waitFor();
    }
}
