package org.backplane.launcher.command;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.backplane.launcher.ExitStatus;
import org.backplane.launcher.ForegroundMachine;
import org.backplane.launcher.HostEngines;
import org.backplane.launcher.framework.Distribution;
import org.backplane.launcher.framework.Distribution.Group;
import org.backplane.launcher.guest.Guest;
import org.backplane.launcher.guest.GuestCache;
import org.backplane.launcher.guest.GuestKind;
import org.backplane.launcher.guest.Progress;
import org.backplane.launcher.kernel.KernelFormat;
import org.backplane.launcher.option.EngineOptions;
import org.backplane.launcher.option.HostLibraries;
import org.backplane.launcher.option.Plan;
import org.backplane.launcher.option.PlanReader;
import org.backplane.launcher.option.Problems;
import org.backplane.launcher.option.RunOptions;
import org.backplane.launcher.option.SlotPlan;
import org.backplane.launcher.tour.Tour;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code backplane demo}. */
@picocli.CommandLine.Command(
        name = "demo",
        sortOptions = false,
        description = "Fetches Debian's kernel and busybox once and boots them to a shell.",
        footer = {
            "",
            "The guest is riscv64, on the embedded processor, or with --engine kvm x86-64. It is kept",
            "under ${XDG_CACHE_HOME:-~/.cache}/backplane (about 170 MB, 100 MB) and used offline from",
            "then on. Its scratch disk of 64 MiB stays there too.",
            "It has --net user unless another --net is given, and an entropy device.",
            "Ctrl-A x ends the machine and Ctrl-A h helps."
        })
public final class DemoCommand implements Command {
    private static final long SCRATCH_BYTES = 64L << 20;
    private static final String ENGINES =
            Arrays.stream(GuestKind.values())
                    .map(GuestKind::engine)
                    .collect(Collectors.joining(" or "));
    private static final String APPEND = "console=ttyS0 quiet cryptomgr.notests=1";

    @Option(
            names = "--engine",
            completionCandidates = OptionWords.Guests.class,
            paramLabel = "hart|kvm",
            description =
                    "Whose guest: the embedded RISC-V processor's, which any host runs (default), or"
                            + " KVM's.")
    private Optional<String> engine = Optional.empty();

    @Option(names = "--kvm-kind", paramLabel = "hardware|pvm", description = "As of run.")
    private Optional<String> kvmKind = Optional.empty();

    @Mixin private MachineOptions common;

    @Option(
            names = "--mirror",
            paramLabel = "URI",
            description = "Debian mirror (default: the one in the host's apt configuration).")
    private Optional<String> mirror = Optional.empty();

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
        if (mirror.isPresent() && !mirror.get().matches("[a-z+]+:/[^\\s\\[\\]]+")) {
            problems.add("--mirror", mirror.get(), "give the URI of a Debian mirror");
        }
        if (tour && common.trust.isPresent()) {
            problems.add(
                    "--trust",
                    common.trust.get(),
                    "the tour swaps in builds of its own, which nobody signed; leave out --trust or"
                            + " --tour");
        }
        if (engine.isPresent() && kind(engine.get()).isEmpty()) {
            problems.add("--engine", engine.get(), "give " + ENGINES);
        }
        if (tour && kind() == GuestKind.AMD64) {
            problems.add(
                    "--engine",
                    kind().engine(),
                    "the tour is on hart; leave out --engine or --tour");
        }
        PlanReader reader = machine.reader();
        String chosen = common.name.orElseGet(reader::freeName);
        reader.check(options(chosen, Optional.empty(), List.of(), APPEND, "stdio"), problems);
        if (!problems.isEmpty()) {
            return ExitStatus.BAD_INPUT;
        }
        if (!fetch && kind() == GuestKind.AMD64 && !isFit(machine)) {
            return ExitStatus.FAILED;
        }
        Path cache = machine.locations().cache().resolve(kind().folder());
        Guest guest =
                new GuestCache(kind(), cache, new Progress(System.err, isTerminal()))
                        .guest(mirror, refresh);
        if (fetch) {
            return ExitStatus.OK;
        }
        return tour ? tour(machine, chosen, guest, cache) : boot(machine, chosen, guest, cache);
    }

    private static Optional<GuestKind> kind(String engine) {
        return Arrays.stream(GuestKind.values())
                .filter(kind -> kind.engine().equals(engine))
                .findFirst();
    }

    private GuestKind kind() {
        return engine.flatMap(DemoCommand::kind).orElse(GuestKind.RISCV64);
    }

    /** So that nothing is fetched for a host that cannot run it; says why it cannot. */
    private boolean isFit(ForegroundMachine machine) throws IOException, InterruptedException {
        Optional<String> why =
                new HostEngines(machine.distribution(), machine.locations())
                        .whyNot(kind().engine(), KernelFormat.LINUX, kvmKind);
        why.ifPresent(sentence -> System.err.println("backplane: " + sentence));
        return why.isEmpty();
    }

    private int boot(ForegroundMachine machine, String chosen, Guest guest, Path cache)
            throws IOException, InterruptedException {
        Path scratch = cache.resolve("scratch-" + chosen + ".img");
        makeScratch(scratch);
        Problems problems = new Problems();
        Optional<Plan> plan =
                machine.reader()
                        .read(
                                options(
                                        chosen,
                                        Optional.of(guest),
                                        List.of(scratch),
                                        APPEND,
                                        "stdio"),
                                problems);
        if (plan.isEmpty()) {
            return told(problems);
        }
        if (nets().isEmpty()) {
            System.err.println(
                    "the guest has no network: "
                            + HostLibraries.ofThisHost()
                                    .whyNoUserNetwork()
                                    .orElse("none is asked for"));
        }
        return machine.run(plan.get());
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
                                            Optional.of(guest),
                                            List.of(scratch),
                                            APPEND + " backplane.agent",
                                            "unix=" + socket),
                                    problems);
            if (plan.isEmpty()) {
                return told(problems);
            }
            Distribution distribution = machine.distribution();
            Tour.Parts parts =
                    new Tour.Parts(
                            scratch,
                            distribution.bundle(Group.DEVICE, "device-virtio-blk"),
                            network(plan.get()),
                            distribution.bundle(Group.DEVICE, "device-virtio-net"));
            return machine.run(
                    plan.get(),
                    run ->
                            Tour.take(run, socket, parts, System.out)
                                    ? ExitStatus.OK
                                    : ExitStatus.FAILED);
        } finally {
            Files.deleteIfExists(socket);
            Files.deleteIfExists(scratch);
            Files.deleteIfExists(folder);
        }
    }

    /** The network that the tour uses, or why it uses none. */
    private static Tour.Network network(Plan plan) {
        Optional<SlotPlan> first =
                plan.slots().stream().filter(slot -> slot.kind().equals("virtio-net")).findFirst();
        if (first.isEmpty()) {
            return new Tour.Network(
                    "",
                    HostLibraries.ofThisHost().whyNoUserNetwork().orElse("there is no network"));
        }
        boolean user = "user".equals(first.get().settings().get("backend"));
        return new Tour.Network(
                first.get().name(), user ? "" : first.get().source() + " is not --net user");
    }

    /** In user mode where nothing is asked for and the host has what that needs. */
    private List<String> nets() {
        boolean able = HostLibraries.ofThisHost().whyNoUserNetwork().isEmpty();
        return common.nets.isEmpty() && able ? List.of("user") : common.nets;
    }

    private static int told(Problems problems) {
        problems.sentences().forEach(sentence -> System.err.println("backplane: " + sentence));
        return ExitStatus.BAD_INPUT;
    }

    /** Without a guest: what can be judged before it is there, so that none is fetched in vain. */
    private RunOptions options(
            String chosen, Optional<Guest> guest, List<Path> disks, String append, String console) {
        return new RunOptions(
                guest.map(files -> files.kernel().toString()),
                guest.map(files -> files.initrd().toString()),
                Optional.of(append),
                common.memory,
                common.cpus,
                disks.stream().map(disk -> escaped(disk) + ",name=disk0").toList(),
                nets(),
                Stream.concat(Stream.of("virtio-rng,name=rng0"), common.devices.stream()).toList(),
                List.of(),
                Optional.of(console),
                Optional.of(chosen),
                common.bundles,
                Optional.empty(),
                Optional.empty(),
                common.trust,
                common.web,
                common.ssh,
                Optional.empty(),
                Optional.empty(),
                new EngineOptions(guest.flatMap(files -> engine), Optional.empty(), kvmKind),
                common.windows());
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
