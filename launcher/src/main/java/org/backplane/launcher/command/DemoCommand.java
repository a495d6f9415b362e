package org.backplane.launcher.command;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.backplane.launcher.ExitStatus;
import org.backplane.launcher.ForegroundMachine;
import org.backplane.launcher.framework.Distribution.Group;
import org.backplane.launcher.guest.Guest;
import org.backplane.launcher.guest.GuestCache;
import org.backplane.launcher.guest.Progress;
import org.backplane.launcher.option.Plan;
import org.backplane.launcher.option.PlanReader;
import org.backplane.launcher.option.Problems;
import org.backplane.launcher.option.RunOptions;
import org.backplane.launcher.tour.Tour;
import picocli.CommandLine.Option;

/** {@code backplane demo}. */
@picocli.CommandLine.Command(
        name = "demo",
        sortOptions = false,
        description = "Fetches Debian's riscv64 kernel and busybox once and boots them to a shell.",
        footer = {
            "",
            "The guest is kept under ${XDG_CACHE_HOME:-~/.cache}/backplane (about 170 MB) and used",
            "offline from then on. Its scratch disk of 64 MiB stays there too.",
            "Ctrl-A x ends the machine and Ctrl-A h helps."
        })
public final class DemoCommand implements Command {
    private static final long SCRATCH_BYTES = 64L << 20;
    private static final String APPEND = "console=ttyS0 quiet cryptomgr.notests=1";

    @Option(names = "--memory", paramLabel = "SIZE", description = "Memory (default: 512M).")
    private String memory;

    @Option(names = "--cpus", paramLabel = "N", description = "Processors (default: 1).")
    private String cpus;

    @Option(
            names = "--name",
            paramLabel = "NAME",
            description = "Name of the machine (default: vm, vm2, ..).")
    private String name;

    @Option(
            names = "--mirror",
            paramLabel = "URI",
            description = "Debian mirror (default: the one in the host's apt configuration).")
    private String mirror;

    @Option(
            names = "--tour",
            description =
                    "Show everything without a person, one line a step; exit status 0 only if every"
                            + " step held.")
    private boolean tour;

    @Option(names = "--fetch", description = "Only fetch the guest, for offline use later.")
    private boolean fetch;

    @Option(names = "--refresh", description = "Look for newer packages of the guest.")
    private boolean refresh;

    @Override
    public int run(Problems problems) throws IOException, InterruptedException {
        ForegroundMachine machine = ForegroundMachine.ofThisProcess();
        if (mirror != null && !mirror.matches("[a-z+]+:/[^\\s\\[\\]]+")) {
            problems.add("--mirror", mirror, "give the URI of a Debian mirror");
        }
        PlanReader reader = machine.reader();
        String chosen = name == null ? reader.freeName() : name;
        reader.check(options(chosen), problems);
        if (!problems.isEmpty()) {
            return ExitStatus.BAD_INPUT;
        }
        Path cache = machine.locations().cache().resolve(GuestCache.FOLDER);
        Guest guest =
                new GuestCache(cache, new Progress(System.err, isTerminal()))
                        .guest(Optional.ofNullable(mirror), refresh);
        if (fetch) {
            return ExitStatus.OK;
        }
        return tour ? tour(machine, chosen, guest, cache) : boot(machine, chosen, guest, cache);
    }

    private int boot(ForegroundMachine machine, String chosen, Guest guest, Path cache)
            throws IOException, InterruptedException {
        Path scratch = cache.resolve("scratch-" + chosen + ".img");
        makeScratch(scratch);
        Problems problems = new Problems();
        Optional<Plan> plan =
                machine.reader().read(options(chosen, guest, scratch, APPEND, "stdio"), problems);
        return plan.isPresent() ? machine.run(plan.get()) : told(problems);
    }

    private int tour(ForegroundMachine machine, String chosen, Guest guest, Path cache)
            throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory(cache, "tour-");
        Path scratch = folder.resolve("scratch.img");
        Path socket = folder.resolve("console.sock");
        try {
            makeScratch(scratch);
            Problems problems = new Problems();
            Optional<Plan> plan =
                    machine.reader()
                            .read(
                                    options(
                                            chosen,
                                            guest,
                                            scratch,
                                            APPEND + " backplane.agent",
                                            "unix=" + socket),
                                    problems);
            if (plan.isEmpty()) {
                return told(problems);
            }
            Path bundle = machine.distribution().bundle(Group.DEVICE, "device-virtio-blk");
            return machine.run(
                    plan.get(),
                    run ->
                            Tour.take(run, socket, scratch, bundle, System.out)
                                    ? ExitStatus.OK
                                    : ExitStatus.FAILED);
        } finally {
            Files.deleteIfExists(socket);
            Files.deleteIfExists(scratch);
            Files.deleteIfExists(folder);
        }
    }

    private static int told(Problems problems) {
        problems.sentences().forEach(sentence -> System.err.println("backplane: " + sentence));
        return ExitStatus.BAD_INPUT;
    }

    private RunOptions options(
            String chosen, Guest guest, Path scratch, String append, String console) {
        return new RunOptions(
                Optional.of(guest.kernel().toString()),
                Optional.of(guest.initrd().toString()),
                Optional.of(append),
                Optional.ofNullable(memory),
                Optional.ofNullable(cpus),
                List.of(escaped(scratch) + ",name=disk0"),
                List.of(),
                Optional.of(console),
                Optional.of(chosen),
                Optional.empty(),
                Optional.empty());
    }

    /** What can be judged before the guest is there, so that nothing is fetched in vain. */
    private RunOptions options(String chosen) {
        return new RunOptions(
                Optional.empty(),
                Optional.empty(),
                Optional.of(APPEND),
                Optional.ofNullable(memory),
                Optional.ofNullable(cpus),
                List.of(),
                List.of(),
                Optional.empty(),
                Optional.of(chosen),
                Optional.empty(),
                Optional.empty());
    }

    private static String escaped(Path path) {
        return path.toString().replace(",", ",,");
    }

    /** A sparse file; the guest makes the file system, with tools of its own release. */
    private static void makeScratch(Path file) throws IOException {
        if (!Files.exists(file)) {
            try (RandomAccessFile scratch = new RandomAccessFile(file.toFile(), "rw")) {
                scratch.setLength(SCRATCH_BYTES);
            }
        }
    }

    private static boolean isTerminal() {
        return System.console() != null;
    }
}
