package org.backplane.launcher.option;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.backplane.launcher.folder.Locations;

/**
 * Makes a plan of the options of {@code run}, or says everything that is wrong with them. Every
 * option is checked whatever the others are.
 */
public final class PlanReader {
    public static final String DEFAULT_NAME = "vm";
    private static final String VACANCY = "5";
    private static final String PROBATION = "10";

    /** Linux calls 20 s of a processor that does not come on a soft lockup. */
    private static final int MAX_VACANCY = 15;

    private static final int MAX_PROBATION = 86_400;

    private final HostMemory hostMemory;
    private final HostLibraries libraries;
    private final List<Path> deviceFolders;
    private final Predicate<String> running;

    /**
     * @param deviceFolders folders of the device bundles of the distribution
     * @param running tells whether a machine of that name runs
     */
    public PlanReader(
            HostMemory hostMemory,
            HostLibraries libraries,
            List<Path> deviceFolders,
            Predicate<String> running) {
        this.hostMemory = hostMemory;
        this.libraries = libraries;
        this.deviceFolders = List.copyOf(deviceFolders);
        this.running = running;
    }

    /** The plan, if nothing was added to the problems. */
    public Optional<Plan> read(RunOptions options, Problems problems) throws IOException {
        if (options.restore().isPresent()) {
            return restore(options, options.restore().get(), problems);
        }
        if (options.kernel().isEmpty() && !problems.concern("--kernel")) {
            problems.add(
                    "--kernel is missing; give the path of a Linux kernel for riscv64 or x86-64, or"
                            + " use: backplane demo");
        }
        return check(options, problems);
    }

    /**
     * As {@link #read}, but a kernel that is not given is not missed: it is to come when the others
     * are right.
     *
     * @return empty too if there is no kernel
     */
    public Optional<Plan> check(RunOptions options, Problems problems) throws IOException {
        int before = problems.count();
        Ends ends = ends(options, problems);
        EngineChoice engine = EngineChoice.read(options.engine(), problems);
        GuestReader.Guest guest = new GuestReader(hostMemory, problems).read(options, engine);
        List<SlotPlan> slots =
                slots(ends, problems)
                        .read(
                                options.disks(),
                                options.nets(),
                                options.devices(),
                                options.vfios(),
                                ends.config());
        if (problems.count() > before || guest.kernel().isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(
                new Plan(
                        ends.name(),
                        engine,
                        guest.kernel(),
                        guest.format(),
                        guest.initrd(),
                        guest.append(),
                        guest.memory(),
                        guest.windows(),
                        guest.cpus(),
                        ends.console(),
                        ends.bundles(),
                        ends.config(),
                        Optional.empty(),
                        Optional.empty(),
                        ends.trust(),
                        ends.web(),
                        ends.ssh(),
                        ends.bounds(),
                        slots));
    }

    /** A machine from a snapshot, which has everything but its ends in this host. */
    private Optional<Plan> restore(RunOptions options, String text, Problems problems)
            throws IOException {
        int before = problems.count();
        refuseWithRestore("--kernel", "kernel", options.kernel().stream().toList(), problems);
        refuseWithRestore("--initrd", "initramfs", options.initrd().stream().toList(), problems);
        refuseWithRestore(
                "--append", "kernel command line", options.append().stream().toList(), problems);
        refuseWithRestore("--memory", "memory", options.memory().stream().toList(), problems);
        refuseWithRestore(
                WindowPlan.BOARD, "board", options.windows().board().stream().toList(), problems);
        refuseWithRestore(
                WindowPlan.MMIO_32,
                "windows",
                options.windows().mmio32().stream().toList(),
                problems);
        refuseWithRestore(
                WindowPlan.MMIO_64,
                "windows",
                options.windows().mmio64().stream().toList(),
                problems);
        refuseWithRestore("--cpus", "processors", options.cpus().stream().toList(), problems);
        refuseWithRestore("--disk", "disks", options.disks(), problems);
        refuseWithRestore("--net", "networks", options.nets(), problems);
        refuseWithRestore("--device", "devices", options.devices(), problems);
        refuseWithRestore("--vfio", "devices", options.vfios(), problems);
        refuseWithRestore(
                "--format", "kernel", options.engine().format().stream().toList(), problems);
        EngineChoice engine = EngineChoice.read(options.engine(), problems);
        Ends ends = ends(options, problems);
        slots(ends, problems).read(List.of(), List.of(), List.of(), List.of(), ends.config());
        Optional<Path> path = path("--restore", text, problems);
        Optional<SnapshotFolder> snapshot =
                path.isPresent()
                        ? SnapshotFolder.read(
                                path.get(), wrong -> problems.add("--restore", text, wrong))
                        : Optional.empty();
        if (snapshot.isPresent() && snapshot.get().memory() > hostMemory.available()) {
            problems.add(
                    "--restore",
                    text,
                    "its guest's memory of "
                            + Size.format(snapshot.get().memory())
                            + " does not fit this host, which has "
                            + Size.format(hostMemory.available() >> 20 << 20)
                            + " available");
        }
        if (problems.count() > before || snapshot.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(
                new Plan(
                        ends.name(),
                        engine,
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        "",
                        snapshot.get().memory(),
                        WindowPlan.OWN,
                        snapshot.get().cpus(),
                        ends.console(),
                        ends.bundles(),
                        ends.config(),
                        path,
                        Optional.empty(),
                        ends.trust(),
                        ends.web(),
                        ends.ssh(),
                        ends.bounds(),
                        List.of()));
    }

    /**
     * A machine that serves one device to guests elsewhere, if nothing was added to the problems.
     */
    public Optional<Plan> serve(ServeOptions options, Problems problems) throws IOException {
        int before = problems.count();
        Ends ends = ends(options.ends(), problems);
        Optional<Path> socket = Optional.empty();
        if (options.socket().isPresent()) {
            String text = options.socket().get();
            socket = path("--socket", text, problems);
            socket.ifPresent(
                    path ->
                            NewPath.checkSocket(
                                    path, wrong -> problems.add("--socket", text, wrong)));
        } else if (!problems.concern("--socket")) {
            problems.add("--socket is missing; give the path where a client is to connect");
        }
        Optional<SlotPlan> slot = Optional.empty();
        if (options.device().isPresent()) {
            slot = Optional.of(slots(ends, problems).served(options.device().get()));
        }
        if (problems.count() > before || socket.isEmpty() || slot.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(
                new Plan(
                        ends.name(),
                        EngineChoice.read(EngineOptions.NONE, problems),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        "",
                        0,
                        WindowPlan.OWN,
                        1,
                        ends.console(),
                        ends.bundles(),
                        Optional.empty(),
                        Optional.empty(),
                        socket,
                        ends.trust(),
                        ends.web(),
                        ends.ssh(),
                        ends.bounds(),
                        List.of(slot.get())));
    }

    private SlotReader slots(Ends ends, Problems problems) throws IOException {
        return new SlotReader(DeviceKinds.in(ends.kinds(deviceFolders)), libraries, problems);
    }

    private static void refuseWithRestore(
            String option, String what, List<String> given, Problems problems) {
        for (String value : given) {
            problems.add(
                    option,
                    value,
                    "the snapshot of --restore brings its own " + what + "; leave this out");
        }
    }

    /** What a machine has in this host, wherever its guest comes from. */
    private record Ends(
            String name,
            String console,
            Optional<Path> bundles,
            Optional<Path> config,
            Optional<Path> trust,
            Optional<ListenAddress> web,
            Optional<SshPlan> ssh,
            Plan.Bounds bounds) {
        List<Path> kinds(List<Path> deviceFolders) {
            List<Path> folders = new ArrayList<>(deviceFolders);
            bundles.ifPresent(folders::add);
            return folders;
        }
    }

    private Ends ends(RunOptions options, Problems problems) {
        String name = options.name().orElseGet(this::freeName);
        checkName(name, problems);
        String place = options.console().orElse("stdio");
        String console =
                new ConsoleOption(wrong -> problems.add("--console", place, wrong)).read(place);
        return new Ends(
                name,
                console,
                options.bundles().flatMap(folder -> folder("--bundles", folder, problems)),
                options.config().flatMap(folder -> folder("--config", folder, problems)),
                options.trust().flatMap(folder -> TrustOption.read(folder, problems)),
                options.web().flatMap(text -> ListenOption.read("--web", text, problems)),
                options.ssh()
                        .flatMap(
                                text -> SshOption.read(text, Locations.authorizedKeys(), problems)),
                new Plan.Bounds(
                        seconds(
                                "--vacancy",
                                options.vacancy().orElse(VACANCY),
                                MAX_VACANCY,
                                problems),
                        seconds(
                                "--probation",
                                options.probation().orElse(PROBATION),
                                MAX_PROBATION,
                                problems)));
    }

    /** A name that no running machine has. */
    public String freeName() {
        String name = DEFAULT_NAME;
        for (int i = 2; running.test(name); i++) {
            name = DEFAULT_NAME + i;
        }
        return name;
    }

    private void checkName(String name, Problems problems) {
        if (!MachineName.isGood(name)) {
            problems.add("--name", name, MachineName.RULE);
        } else if (running.test(name)) {
            problems.add(
                    "--name",
                    name,
                    "a machine of that name runs already; give another, or end it with:"
                            + " backplane shell --name "
                            + name
                            + " vm:stop");
        }
    }

    private static int seconds(String option, String text, int most, Problems problems) {
        if (text.matches("\\d{1,6}") && Integer.parseInt(text) <= most) {
            return Integer.parseInt(text);
        }
        problems.add(option, text, "give a number of seconds from 0 to " + most);
        return 0;
    }

    private static Optional<Path> folder(String option, String text, Problems problems) {
        Optional<Path> path = path(option, text, problems);
        if (path.isPresent() && !Files.isDirectory(path.get())) {
            problems.add(option, text, "there is no such folder; make it, or give another");
            return Optional.empty();
        }
        if (path.isPresent() && path.get().toString().contains(",")) {
            problems.add(option, text, "a comma cannot be in its path; give another folder");
            return Optional.empty();
        }
        return path;
    }

    static Optional<Path> path(String option, String text, Problems problems) {
        return path(text, wrong -> problems.add(option, text.replace('\0', '?'), wrong));
    }

    /**
     * The absolute path that is meant.
     *
     * @param wrong is given a clause that says what would be right
     */
    static Optional<Path> path(String text, Consumer<String> wrong) {
        try {
            if (!text.isEmpty()) {
                return Optional.of(Path.of(text).toAbsolutePath().normalize());
            }
            wrong.accept("give a path");
        } catch (InvalidPathException e) {
            wrong.accept("this is no path: " + e.getReason());
        }
        return Optional.empty();
    }
}
