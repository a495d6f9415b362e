package org.backplane.launcher;

import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.backplane.launcher.folder.Locations;
import org.backplane.launcher.folder.LogFile;
import org.backplane.launcher.folder.RunFolder;
import org.backplane.launcher.folder.RunFolders;
import org.backplane.launcher.framework.Distribution;
import org.backplane.launcher.framework.MachineFramework;
import org.backplane.launcher.framework.StartException;

/** The bundles of the distribution, started without a machine to be asked something. */
record BriefFramework(Distribution distribution, Locations locations) {
    private static final long STOP_SECONDS = 10;

    /** What the bundles are asked. */
    interface Question<T> {
        T ask(MachineFramework framework) throws IOException;
    }

    /**
     * Starts the bundles in a run folder of their own, asks, and stops them.
     *
     * @param purpose the beginning of the folder's name
     * @param kvmKind what the user says that KVM is
     * @throws IOException with a sentence if the bundles do not start, or have no answer
     */
    <T> T ask(String purpose, Optional<String> kvmKind, Question<T> question)
            throws IOException, InterruptedException {
        LogFile.none();
        RunFolders folders = new RunFolders(locations.runBase(), Locations.uid());
        String name = purpose + "-" + ProcessHandle.current().pid();
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
                return question.ask(framework);
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
