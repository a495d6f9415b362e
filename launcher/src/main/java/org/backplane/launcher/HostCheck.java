package org.backplane.launcher;

import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.backplane.launcher.folder.Locations;
import org.backplane.launcher.folder.LogFile;
import org.backplane.launcher.folder.RunFolder;
import org.backplane.launcher.folder.RunFolders;
import org.backplane.launcher.folder.UserFolder;
import org.backplane.launcher.framework.Distribution;
import org.backplane.launcher.framework.Distribution.Group;
import org.backplane.launcher.framework.MachineFramework;
import org.backplane.launcher.framework.StartException;
import org.backplane.launcher.guest.GuestCache;
import org.backplane.launcher.guest.GuestKind;
import org.backplane.launcher.guest.Progress;
import org.backplane.launcher.kernel.KernelFormat;
import org.backplane.launcher.option.DeviceKinds;
import org.backplane.launcher.option.HostLibraries;
import org.backplane.launcher.option.HostMemory;
import org.backplane.launcher.option.Size;
import org.osgi.framework.Bundle;

/** What this host offers to machines, one line each. */
public final class HostCheck {
    private static final String ROW = "%-10s %-4s %s%n";
    private static final List<String> TOOLS =
            List.of("apt-get", "apt-cache", "dpkg-deb", "tar", "stty");

    private final Distribution distribution;
    private final Locations locations;
    private final HostMemory memory;

    HostCheck(Distribution distribution, Locations locations, HostMemory memory) {
        this.distribution = distribution;
        this.locations = locations;
        this.memory = memory;
    }

    public static HostCheck ofThisProcess() throws IOException {
        return new HostCheck(
                Distribution.ofThisProcess(), Locations.ofThisUser(), HostMemory.ofThisHost());
    }

    /**
     * Prints what there is.
     *
     * @return whether machines can run
     */
    public boolean print(PrintStream out) throws IOException, InterruptedException {
        LogFile.none();
        boolean good = system(out);
        line(
                out,
                "java",
                true,
                System.getProperty("java.vm.name") + " " + System.getProperty("java.version"));
        long available = memory.available();
        line(
                out,
                "memory",
                available >= 256L << 20,
                Size.format(available >> 20 << 20)
                        + " available, "
                        + Runtime.getRuntime().availableProcessors()
                        + " processors");
        good &= bundles(out);
        out.printf(
                ROW,
                "kinds",
                "",
                String.join(
                        ", ", DeviceKinds.in(List.of(distribution.folder(Group.DEVICE))).names()));
        userNetwork(out);
        demo(out);
        out.printf(ROW, "run", "", locations.runBase());
        good &= folder(out, "logs", locations.logs(), "XDG_STATE_HOME");
        folder(out, "cache", locations.cache(), "XDG_CACHE_HOME");
        return good && available >= 256L << 20;
    }

    private static void line(PrintStream out, String subject, boolean good, String text) {
        out.printf(ROW, subject, good ? "ok" : "no", text);
    }

    private static boolean folder(PrintStream out, String subject, Path folder, String variable) {
        try {
            line(out, subject, true, UserFolder.make(folder, variable).toString());
            return true;
        } catch (IOException e) {
            line(out, subject, false, e.getMessage());
            return false;
        }
    }

    private static boolean system(PrintStream out) {
        String name = System.getProperty("os.name");
        boolean good = name.equals("Linux");
        line(
                out,
                "host",
                good,
                name
                        + " "
                        + System.getProperty("os.version")
                        + " "
                        + System.getProperty("os.arch")
                        + (good ? "" : "; Backplane needs a Linux host"));
        return good;
    }

    /** Starts every bundle of the distribution, without a machine. */
    private boolean bundles(PrintStream out) throws IOException, InterruptedException {
        RunFolders folders = new RunFolders(locations.runBase(), Locations.uid());
        String name = "check-" + ProcessHandle.current().pid();
        RunFolder folder;
        try {
            folder = folders.acquire(name);
        } catch (IOException e) {
            line(out, "bundles", false, "not started: " + e.getMessage());
            return false;
        }
        try {
            System.setProperty("jffi.extract.dir", folder.make("native").toString());
            MachineFramework framework =
                    new MachineFramework(
                            distribution,
                            folder,
                            MachineFramework.Properties.withoutMachine(name, Optional.empty()));
            try {
                framework.start(Optional.empty(), false);
                framework.startSecondList();
                List<Bundle> down =
                        framework.bundles().stream()
                                .filter(bundle -> bundle.getState() != Bundle.ACTIVE)
                                .toList();
                line(
                        out,
                        "bundles",
                        down.isEmpty(),
                        framework.bundles().size()
                                + " installed, "
                                + (down.isEmpty() ? "all active" : "not active: " + down));
                engines(out, framework.engines());
                hostDevices(out, framework);
                return down.isEmpty();
            } catch (StartException e) {
                e.sentences().forEach(sentence -> line(out, "bundles", false, sentence));
                return false;
            } finally {
                framework.stop(10, TimeUnit.SECONDS);
            }
        } finally {
            folders.release(folder);
        }
    }

    /**
     * The engines, as they judge themselves. A kernel for riscv64 runs anywhere, so none of this
     * keeps machines from running.
     */
    private static void engines(PrintStream out, List<Map<String, String>> engines) {
        Map<String, String> chosen = new LinkedHashMap<>();
        for (KernelFormat format : KernelFormat.values()) {
            chosen.put(format.word(), "none");
        }
        for (Map<String, String> engine : engines) {
            String name = engine.get("name");
            out.printf(
                    ROW,
                    name,
                    engine.get("grade").equals("FULL") ? "ok" : "-",
                    engine.get("architecture") + ": " + engine.get("reason"));
            for (String kernel : engine.get("kernels").split(" ")) {
                chosen.computeIfPresent(kernel, (format, none) -> name);
            }
        }
        out.printf(
                ROW,
                "auto",
                "",
                chosen.entrySet().stream()
                        .map(each -> each.getKey() + ": " + each.getValue())
                        .collect(
                                Collectors.joining(
                                        ", ", "the engine of each kernel here is ", "")));
    }

    /** Groups, drivers and viability; no machine needs any of it. */
    private static void hostDevices(PrintStream out, MachineFramework framework) {
        try {
            for (Map<String, String> line : framework.vfio(List.of("list"))) {
                out.printf(
                        ROW,
                        "vfio",
                        Boolean.parseBoolean(line.get("usable")) ? "ok" : "-",
                        line.get("text"));
            }
        } catch (IOException e) {
            out.printf(ROW, "vfio", "-", e.getMessage());
        }
    }

    /** What --net user needs; other networks do without. */
    private static void userNetwork(PrintStream out) {
        Optional<String> reason = HostLibraries.ofThisHost().whyNoUserNetwork();
        out.printf(
                ROW,
                "network",
                reason.isEmpty() ? "ok" : "-",
                reason.map(why -> why + "; needed by: --net user")
                        .orElse(HostLibraries.SLIRP + " is there, for --net user"));
    }

    /** What the demo needs; machines run without. */
    private void demo(PrintStream out) {
        List<String> missing = TOOLS.stream().filter(tool -> !onPath(tool)).toList();
        out.printf(
                ROW,
                "tools",
                missing.isEmpty() ? "ok" : "-",
                missing.isEmpty()
                        ? String.join(", ", TOOLS)
                        : "missing: " + String.join(", ", missing) + "; needed by: backplane demo");
        for (GuestKind kind : GuestKind.values()) {
            guest(out, kind);
        }
    }

    private void guest(PrintStream out, GuestKind kind) {
        Path guest = locations.cache().resolve(kind.folder());
        boolean cached = new GuestCache(kind, guest, new Progress(out, false)).isFilled();
        String command = "backplane demo --engine " + kind.engine();
        out.printf(
                ROW,
                "guest",
                cached ? "ok" : "-",
                cached
                        ? "the guest of " + command + " is in " + guest
                        : "not there yet; %s fetches it (%d MB)"
                                .formatted(command, kind.megabytes()));
    }

    private static boolean onPath(String tool) {
        for (String folder : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator)) {
            if (Files.isExecutable(Path.of(folder, tool))) {
                return true;
            }
        }
        return false;
    }
}
