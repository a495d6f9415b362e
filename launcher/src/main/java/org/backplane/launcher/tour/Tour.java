package org.backplane.launcher.tour;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.backplane.launcher.MachineRun;

/**
 * Drives a machine through everything the demo shows, without a person: the guest by its console,
 * the machine by its shell.
 */
public final class Tour {
    /** A compiler that is behind with its work holds what it is to compile. */
    private static final Duration COLLECTION_BOUND = Duration.ofSeconds(60);

    private static final int RANDOM_BYTES = 4096;

    /** Of 4,096 random bytes less than 230 values is one chance in more than 10^20. */
    private static final int LEAST_VALUES = 230;

    private static final Pattern BOOTS = Pattern.compile("^boots\\s+(\\d+)", Pattern.MULTILINE);

    private final TourMachine machine;
    private final DiskSteps disk;
    private final NetworkSteps network;
    private final PrintStream out;

    /**
     * What the tour finds in its machine besides what every machine has.
     *
     * @param scratch image of the slot disk0, all of it free to be written
     * @param diskBundle jar of the bundle that fills disk0
     * @param networkBundle jar of the bundle that fills the network's slot
     */
    public record Parts(Path scratch, Path diskBundle, Network network, Path networkBundle) {}

    /**
     * The guest's first network.
     *
     * @param slot its name
     * @param unfit why the tour cannot use it, or empty
     */
    public record Network(String slot, String unfit) {}

    private Tour(TourMachine machine, Parts parts, PrintStream out) {
        this.machine = machine;
        this.disk = new DiskSteps(machine, parts.scratch, parts.diskBundle);
        this.network = new NetworkSteps(machine, parts.network, parts.networkBundle);
        this.out = out;
    }

    /**
     * Takes the tour of a machine that was just started with the agent in its guest.
     *
     * @param socket of the machine's console
     * @return whether every step held
     */
    public static boolean take(MachineRun run, Path socket, Parts parts, PrintStream out)
            throws IOException, InterruptedException {
        Path transcript = run.log().path().resolveSibling("tour-console.log");
        Steps steps = new Steps(out);
        steps.step(
                "starts the machine",
                () -> {
                    TourMachine.awaitShell(run);
                    return "";
                });
        try (ConsoleDialog console = ConsoleDialog.connect(socket, transcript)) {
            run.end().whenComplete((status, failure) -> console.ended("the machine ended"));
            new Tour(new TourMachine(run, console), parts, out).take(steps);
        }
        boolean good = steps.summary();
        if (!good) {
            out.println("the guest's console: " + transcript);
            out.println("the log: " + run.log().path());
        }
        return good;
    }

    private void take(Steps steps) throws InterruptedException {
        steps.step("boots Debian's Linux to user land", this::boot);
        disk.use(steps);
        network.use(steps);
        steps.step("reads random bytes of the entropy device", this::random);
        steps.step("lists the slots", () -> listed("vm:slots", disk.slot().line()));
        steps.step("lists the address map", () -> listed("vm:map", Pattern.compile("disk0")));
        steps.step("holds a session over the shell's socket", this::session);
        network.replaceTheCode(steps);
        disk.replaceTheCode(steps);
        steps.step("the class loaders of the old code are collected", this::loadersCollected);
        steps.step("reboots the guest in the same process", this::reboot);
        steps.step("powers off", this::powerOff);
    }

    private String boot() throws TourException, IOException, InterruptedException {
        machine.awaitBoot();
        return machine.guest("uname -sr");
    }

    /** The guest loads the driver in the background. */
    private String random() throws TourException, IOException, InterruptedException {
        String source =
                machine.guest(
                        "n=0; until grep -s virtio_rng /sys/class/misc/hw_random/rng_current; do"
                                + " n=$((n + 1)); [ $n -le 600 ] || exit 1; usleep 100000; done");
        String told =
                machine.guest(
                        "head -c "
                                + RANDOM_BYTES
                                + " /dev/hwrng > /tmp/random; wc -c < /tmp/random;"
                                + " od -An -v -tx1 -w1 /tmp/random | sort -u | wc -l");
        String[] counted = told.split("\\s+");
        if (!counted[0].equals(String.valueOf(RANDOM_BYTES))
                || Integer.parseInt(counted[1]) < LEAST_VALUES) {
            throw new TourException("these are no " + RANDOM_BYTES + " random bytes: " + told);
        }
        return RANDOM_BYTES + " bytes from " + source + ", " + counted[1] + " different values";
    }

    private String listed(String command, Pattern expected) throws TourException, IOException {
        String listing = machine.shell(command);
        out.println(listing.stripTrailing().indent(7).stripTrailing());
        if (!expected.matcher(listing).find()) {
            throw new TourException(command + " does not show a running disk");
        }
        return "";
    }

    /** Several commands in one session, one of them a mistake, which does not end it. */
    private String session() throws TourException, IOException {
        String told = machine.session("vm:status\nvm:history nosuchslot\nvm:slots\nexit\n");
        if (!BOOTS.matcher(told).find()
                || !told.contains("nosuchslot")
                || !disk.slot().line().matcher(told).find()) {
            throw new TourException("the session printed: " + told.strip());
        }
        return "";
    }

    /** Garbage collection is this process's own; the machine knows which loaders it let go. */
    private String loadersCollected() throws TourException, IOException {
        List<TourSlot> swapped =
                Stream.concat(Stream.of(disk.slot()), network.slot().stream()).toList();
        for (TourSlot slot : swapped) {
            if (machine.shell("vm:slots")
                    .lines()
                    .anyMatch(
                            line ->
                                    line.startsWith(slot.name() + " ")
                                            && line.contains("on probation"))) {
                machine.shell("vm:accept " + slot.name());
            }
        }
        long began = System.nanoTime();
        String left;
        do {
            System.gc();
            left = machine.shell("vm:stale").strip();
            if (left.isEmpty()) {
                return "";
            }
        } while (System.nanoTime() - began < COLLECTION_BOUND.toNanos());
        throw new TourException("still loaded: " + left);
    }

    private String reboot() throws TourException, IOException, InterruptedException {
        String before = disk.beginning();
        machine.send("reboot -f");
        machine.awaitBoot();
        Matcher boots = BOOTS.matcher(machine.shell("vm:status"));
        if (!boots.find() || !boots.group(1).equals("2")) {
            throw new TourException("the machine does not report its second boot");
        }
        TourMachine.same("the disk after the reboot", before, disk.beginning());
        if (network.slot().isPresent()) {
            network.awaitAddress();
        }
        return "boot 2, process " + ProcessHandle.current().pid();
    }

    private String powerOff() throws TourException, IOException, InterruptedException {
        machine.send("poweroff -f");
        machine.awaitEnd();
        return "";
    }
}
