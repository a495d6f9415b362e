package org.backplane.launcher.tour;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a tour shows of a network in user mode, also while its code is replaced. */
final class NetworkSteps {
    private static final String INTERFACE = "eth0";

    /** Libslirp's address of the host, whose loopback addresses are reached by it. */
    private static final String HOST = "10.0.2.2";

    private static final int DOWN_MEGABYTES = 8;
    private static final int UP_MEGABYTES = 8;

    /** How many pings have to be answered before a swap, and after it. */
    private static final int PINGS = 100;

    private static final Pattern ADDRESS = Pattern.compile("inet (\\S+)");
    private static final Pattern AVERAGE =
            Pattern.compile(
                    "(\\d+) packets received.*min/avg/max = [\\d.]+/([\\d.]+)/", Pattern.DOTALL);

    private final TourMachine machine;
    private final String unfit;
    private final TourSlot slot;

    /**
     * @param bundle jar of the bundle that fills the network's slot
     */
    NetworkSteps(TourMachine machine, Tour.Network network, Path bundle) {
        this.machine = machine;
        this.slot = new TourSlot(machine, network.slot(), "virtio-net", bundle);
        this.unfit = network.unfit();
    }

    /** Absent if there is no network to use. */
    Optional<TourSlot> slot() {
        return unfit.isEmpty() ? Optional.of(slot) : Optional.empty();
    }

    void use(Steps steps) throws InterruptedException {
        step(steps, "gets an address by DHCP", this::awaitAddress);
        step(steps, "pings the gateway", this::pingGateway);
        step(steps, "fetches a file from the host's loopback address", this::fetch);
        step(steps, "transfers both ways", this::transfer);
    }

    void replaceTheCode(Steps steps) throws InterruptedException {
        step(steps, "swaps device-virtio-net under 100 pings a second", this::swapUnderPing);
    }

    private void step(Steps steps, String name, Steps.Body body) throws InterruptedException {
        if (unfit.isEmpty()) {
            steps.step(name, body);
        } else {
            steps.skip(name, unfit);
        }
    }

    /** The guest asks for one in the background from its boot on. */
    String awaitAddress() throws TourException, IOException, InterruptedException {
        String told =
                machine.guest(
                        "n=0; until ip route show default | grep -q via; do n=$((n + 1));"
                                + " [ $n -le 600 ] || exit 1; usleep 100000; done; ip -4 address"
                                + " show dev "
                                + INTERFACE
                                + "; ip route show default");
        Matcher address = ADDRESS.matcher(told);
        if (!address.find() || !told.contains("default via " + HOST)) {
            throw new TourException("there is no address or no way out: " + told);
        }
        return address.group(1);
    }

    private String pingGateway() throws TourException, IOException, InterruptedException {
        String told = machine.guest("ping -c 5 -i 0.1 -q " + HOST);
        Matcher average = AVERAGE.matcher(told);
        if (!average.find() || !average.group(1).equals("5")) {
            throw new TourException("not every ping was answered: " + told);
        }
        return "5 of 5 answered, " + average.group(2) + " ms on average";
    }

    private String fetch() throws TourException, IOException, InterruptedException {
        try (LoopbackServer server = LoopbackServer.start()) {
            String found =
                    TourMachine.digest(
                            machine.guest(
                                    "wget -q -O - "
                                            + url(server, LoopbackServer.FILE)
                                            + " | sha256sum"));
            TourMachine.same("what the guest fetched", server.digest(), found);
            return server.fileBytes() + " bytes, SHA-256 " + found.substring(0, 8) + "..";
        }
    }

    private static String url(LoopbackServer server, String path) {
        return "http://" + HOST + ":" + server.port() + path;
    }

    private String transfer() throws TourException, IOException, InterruptedException {
        try (LoopbackServer server = LoopbackServer.start()) {
            long down = (long) DOWN_MEGABYTES << 20;
            String count =
                    machine.guest(
                            "wget -q -O - "
                                    + url(server, LoopbackServer.STREAM + down)
                                    + " | wc -c");
            expect("bytes that the guest received", down, Long.parseLong(count.strip()));
            String toGuest = server.last().rate();
            long up = (long) UP_MEGABYTES << 20;
            // What wget posts ends with its first byte 0.
            machine.guest(
                    "yes backplane | head -c "
                            + up
                            + " > /tmp/upload; wget -q -O /dev/null --post-file /tmp/upload "
                            + url(server, LoopbackServer.SINK)
                            + "; s=$?; rm /tmp/upload; exit $s");
            expect("bytes that the host received", up, server.last().bytes());
            return toGuest + " to the guest, " + server.last().rate() + " from it";
        }
    }

    private static void expect(String what, long wanted, long found) throws TourException {
        if (wanted != found) {
            throw new TourException(what + ": " + found + " and not " + wanted);
        }
    }

    private String swapUnderPing() throws TourException, IOException, InterruptedException {
        Path jar = slot.build("1.0.1");
        machine.guest("ping -i 0.01 " + HOST + " > /tmp/pings 2>&1 < /dev/null &");
        awaitPings(PINGS);
        slot.swap(jar);
        slot.expectVersion("1.0.1");
        int after = Integer.parseInt(machine.guest("grep -c seq= /tmp/pings"));
        awaitPings(after + PINGS);
        machine.guest("killall -INT ping; while pidof ping > /dev/null; do usleep 20000; done");
        return judge(
                machine.guest(
                        "sed -n 's/.*seq=\\([0-9]*\\) .*time=\\([0-9.]*\\) ms.*/\\1 \\2/p' /tmp/pings"
                                + " | awk '$2 > worst { worst = $2 } { last = $1 }"
                                + " END { print NR, last, worst }'"));
    }

    private void awaitPings(int answered) throws TourException, IOException, InterruptedException {
        machine.guest(
                "n=0; until [ $(grep -c seq= /tmp/pings) -ge "
                        + answered
                        + " ]; do n=$((n + 1)); [ $n -le 600 ] || exit 1; usleep 100000; done");
    }

    /**
     * @param counted how many answers, the number of the last one, and the longest wait for one in
     *     milliseconds
     */
    static String judge(String counted) throws TourException {
        String[] words = counted.strip().split(" ");
        int answers = Integer.parseInt(words[0]);
        // The first has number 0.
        int sent = Integer.parseInt(words[1]) + 1;
        if (answers != sent) {
            throw new TourException(
                    answers + " answers came to the first " + sent + " pings: some were lost");
        }
        return String.format(
                Locale.ROOT,
                "%d pings, none lost, longest gap %.0f ms",
                sent,
                Double.parseDouble(words[2]));
    }
}
