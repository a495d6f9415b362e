package org.backplane.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.stream.Stream;
import org.backplane.bench.BenchMachine.Places;
import org.backplane.launcher.guest.Guest;

/**
 * A guest and the other end of its network, which answers on a port: a process of the host's, or a
 * second guest. Closing ends everything.
 */
final class NetworkRig implements AutoCloseable {
    private static final String NAMESPACE = "backplane-bench";
    private static final String TAP = "tap0";
    private static final String MAC = "52:54:00:09:02:0";
    private static final int GUESTS_PORT = 7000;

    /** Who runs the guest. */
    enum Monitor {
        BACKPLANE,
        QEMU
    }

    /** What the guest's network is made of. */
    enum Wire {
        USER("10.0.2.15/24", "10.0.2.2"),
        TAP("10.9.2.2/24", "10.9.2.1"),
        SOCKET("10.9.2.2/24", "10.9.2.1");

        private final String address;
        private final String peer;

        Wire(String address, String peer) {
            this.address = address;
            this.peer = peer;
        }
    }

    /** What both guests boot from, and the host's end. */
    record Parts(Guest guest, Path hostEnd) {}

    private final Places places;
    private final Parts parts;
    private final Monitor monitor;
    private final Wire wire;
    private final Deque<AutoCloseable> open = new ArrayDeque<>();
    private NetworkGuest guest;
    private int port = GUESTS_PORT;

    private NetworkRig(Places places, Parts parts, Monitor monitor, Wire wire) {
        this.places = places;
        this.parts = parts;
        this.monitor = monitor;
        this.wire = wire;
    }

    /** Boots what is needed. */
    static NetworkRig start(Places places, Parts parts, Monitor monitor, Wire wire)
            throws BenchException, IOException, InterruptedException {
        NetworkRig rig = new NetworkRig(places, parts, monitor, wire);
        try {
            rig.start();
            return rig;
        } catch (BenchException | IOException | InterruptedException | RuntimeException e) {
            rig.close();
            throw e;
        }
    }

    private void start() throws BenchException, IOException, InterruptedException {
        switch (wire) {
            case USER -> {
                try (ServerSocket free = new ServerSocket(0)) {
                    port = free.getLocalPort();
                }
                serve();
            }
            case TAP -> {
                host("ip", "netns", "add", NAMESPACE);
                open.push(() -> host("ip", "netns", "del", NAMESPACE));
                host("ip", "-n", NAMESPACE, "tuntap", "add", "dev", TAP, "mode", "tap");
                host("ip", "-n", NAMESPACE, "address", "add", wire.peer + "/24", "dev", TAP);
                host("ip", "-n", NAMESPACE, "link", "set", TAP, "up");
                serve();
            }
            case SOCKET -> {
                NetworkGuest peer = boot("peer", wire.peer + "/24", 1);
                peer.run("net serve " + port + " > /dev/null 2>&1 < /dev/null &");
            }
        }
        guest = boot("guest", wire.address, 2);
        guest.run(
                "n=0; until ping -q -c 1 -W 1 "
                        + wire.peer
                        + " > /dev/null; do n=$((n + 1)); [ $n -le 60 ] || exit 1; done");
    }

    private List<String> entering() {
        return wire == Wire.TAP ? List.of("ip", "netns", "exec", NAMESPACE) : List.of();
    }

    private static void host(String... command)
            throws BenchException, IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes()).strip();
        if (process.waitFor() != 0) {
            throw new BenchException("'%s': %s".formatted(String.join(" ", command), said));
        }
    }

    /** Starts the host's end and waits until it listens. */
    private void serve() throws BenchException, IOException {
        List<String> command = new ArrayList<>(entering());
        command.addAll(List.of(parts.hostEnd.toString(), "serve", String.valueOf(port)));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        open.push(process::destroy);
        BufferedReader said = process.inputReader();
        String line = said.readLine();
        if (!"listening".equals(line)) {
            throw new BenchException("the host's end of the connection said: " + line);
        }
    }

    private NetworkGuest boot(String name, String address, int number)
            throws BenchException, IOException, InterruptedException {
        Path socket = places.folder().resolve(name);
        String append =
                "console=ttyS0 quiet cryptomgr.notests=1 backplane.agent backplane.address="
                        + address;
        List<String> words = monitor == Monitor.BACKPLANE ? backplane(name) : qemu(socket, number);
        words.addAll(
                List.of(
                        option("kernel"), parts.guest.kernel().toString(),
                        option("initrd"), parts.guest.initrd().toString(),
                        option("append"), append));
        if (monitor == Monitor.BACKPLANE) {
            words.addAll(
                    List.of(
                            "--memory",
                            "512M",
                            "--console",
                            "unix=" + socket,
                            "--net",
                            net() + ",mac=" + MAC + number));
        }
        ProcessBuilder builder = places.command(List.of());
        builder.command(Stream.concat(entering().stream(), words.stream()).toList());
        NetworkGuest booted = NetworkGuest.boot(builder, socket, places.records());
        open.push(booted);
        return booted;
    }

    private String option(String name) {
        return (monitor == Monitor.BACKPLANE ? "--" : "-") + name;
    }

    private List<String> backplane(String name) {
        return new ArrayList<>(List.of(places.script().toString(), "run", "--name", name));
    }

    private Path wirePath() {
        return places.folder().resolve("wire");
    }

    private String net() {
        return switch (wire) {
            case USER -> "user";
            case TAP -> "tap=" + TAP;
            case SOCKET -> "socket=" + wirePath();
        };
    }

    private List<String> qemu(Path socket, int number) {
        String backend =
                switch (wire) {
                    case USER -> "user,id=n0";
                    case TAP -> "tap,id=n0,ifname=" + TAP + ",script=no,downscript=no,vhost=off";
                    case SOCKET ->
                            "stream,id=n0,addr.type=unix,server="
                                    + (number == 1 ? "on" : "off")
                                    + ",addr.path="
                                    + wirePath();
                };
        return new ArrayList<>(
                List.of(
                        "qemu-system-riscv64",
                        "-M",
                        "virt",
                        "-m",
                        "512",
                        "-display",
                        "none",
                        "-monitor",
                        "none",
                        "-serial",
                        "unix:" + socket + ",server=on,wait=off",
                        "-netdev",
                        backend,
                        "-device",
                        "virtio-net-pci,netdev=n0,romfile=,mac=" + MAC + number));
    }

    /** Nanoseconds of a transfer. */
    long transfer(boolean toGuest, long bytes)
            throws BenchException, IOException, InterruptedException {
        return guest.numbers(
                        "net %s %s %d %d"
                                .formatted(toGuest ? "receive" : "send", wire.peer, port, bytes))
                .get(0);
    }

    /** Nanoseconds of a request and its answer: the median, and the 99th percentile. */
    List<Long> requests(int count) throws BenchException, IOException, InterruptedException {
        return guest.numbers("net ask %s %d %d".formatted(wire.peer, port, count));
    }

    @Override
    public void close() throws IOException {
        IOException failure = null;
        while (!open.isEmpty()) {
            try {
                open.pop().close();
            } catch (Exception e) {
                failure = new IOException("not everything ended: " + e.getMessage(), e);
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}
