package org.backplane.launcher.command;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.backplane.launcher.ExitStatus;
import org.backplane.launcher.ForegroundMachine;
import org.backplane.launcher.guest.Guest;
import org.backplane.launcher.guest.GuestCache;
import org.backplane.launcher.guest.Progress;
import org.backplane.launcher.option.Plan;
import org.backplane.launcher.option.PlanReader;
import org.backplane.launcher.option.Problems;
import org.backplane.launcher.option.RunOptions;
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
        reader.check(options(chosen, Optional.empty(), List.of()), problems);
        if (!problems.isEmpty()) {
            return ExitStatus.BAD_INPUT;
        }
        Path cache = machine.locations().cache().resolve("guest");
        Guest guest =
                new GuestCache(cache, new Progress(System.err, isTerminal()))
                        .guest(Optional.ofNullable(mirror), refresh);
        Path scratch = cache.resolve("scratch-" + chosen + ".img");
        makeScratch(scratch);
        Optional<Plan> plan =
                reader.read(
                        options(chosen, Optional.of(guest), List.of(escaped(scratch))), problems);
        return plan.isPresent() ? machine.run(plan.get()) : ExitStatus.BAD_INPUT;
    }

    private RunOptions options(String chosen, Optional<Guest> guest, List<String> disks) {
        return new RunOptions(
                guest.map(found -> found.kernel().toString()),
                guest.map(found -> found.initrd().toString()),
                Optional.of(APPEND),
                Optional.ofNullable(memory),
                Optional.ofNullable(cpus),
                disks,
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
