package org.backplane.launcher;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.backplane.launcher.folder.Locations;
import org.backplane.launcher.folder.LogFile;
import org.backplane.launcher.folder.RunFolder;
import org.backplane.launcher.folder.RunFolders;
import org.backplane.launcher.framework.Distribution;
import org.backplane.launcher.framework.MachineFramework;
import org.backplane.launcher.framework.StartException;
import org.backplane.launcher.kernel.KernelFormat;

/** What the engines say of this host, asked before there is a machine. */
public record HostEngines(Distribution distribution, Locations locations) {
    private static final long STOP_SECONDS = 10;
    private static final String REMEDY = " What runs anywhere is the guest of the engine hart.";

    /**
     * Why an engine runs no kernel of a format here; empty if it does.
     *
     * @param kvmKind what the user says that KVM is
     * @throws IOException with a sentence if the engines cannot be asked
     */
    public Optional<String> whyNot(String engine, KernelFormat format, Optional<String> kvmKind)
            throws IOException, InterruptedException {
        for (Map<String, String> each : ask(kvmKind)) {
            if (each.get("name").equals(engine)) {
                return List.of(each.get("kernels").split(" ")).contains(format.word())
                        ? Optional.empty()
                        : Optional.of(each.get("reason") + REMEDY);
            }
        }
        return Optional.of("The distribution has no engine '" + engine + "'.");
    }

    /** Starts the bundles without a machine, in a run folder of its own, and asks. */
    private List<Map<String, String>> ask(Optional<String> kvmKind)
            throws IOException, InterruptedException {
        LogFile.none();
        RunFolders folders = new RunFolders(locations.runBase(), Locations.uid());
        String name = "engines-" + ProcessHandle.current().pid();
        RunFolder folder = folders.acquire(name);
        try {
            System.setProperty("jffi.extract.dir", folder.make("native").toString());
            MachineFramework framework =
                    new MachineFramework(
                            distribution,
                            folder,
                            MachineFramework.Properties.withoutMachine(name, kvmKind));
            try {
                framework.start(Optional.empty(), false);
                return framework.engines();
            } catch (StartException e) {
                throw new IOException(String.join("; ", e.sentences()), e);
            } finally {
                framework.stop(STOP_SECONDS, TimeUnit.SECONDS);
            }
        } finally {
            folders.release(folder);
        }
    }
}
