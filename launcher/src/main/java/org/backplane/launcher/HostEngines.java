package org.backplane.launcher;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.backplane.launcher.folder.Locations;
import org.backplane.launcher.framework.Distribution;
import org.backplane.launcher.framework.MachineFramework;
import org.backplane.launcher.kernel.KernelFormat;

/** What the engines say of this host, asked before there is a machine. */
public record HostEngines(Distribution distribution, Locations locations) {
    private static final String REMEDY = " What runs anywhere is the guest of the engine hart.";

    /**
     * Why an engine runs no kernel of a format here; empty if it does.
     *
     * @param kvmKind what the user says that KVM is
     * @throws IOException with a sentence if the engines cannot be asked
     */
    public Optional<String> whyNot(String engine, KernelFormat format, Optional<String> kvmKind)
            throws IOException, InterruptedException {
        List<Map<String, String>> engines =
                new BriefFramework(distribution, locations)
                        .ask("engines", kvmKind, MachineFramework::engines);
        for (Map<String, String> each : engines) {
            if (each.get("name").equals(engine)) {
                return List.of(each.get("kernels").split(" ")).contains(format.word())
                        ? Optional.empty()
                        : Optional.of(each.get("reason") + REMEDY);
            }
        }
        return Optional.of("The distribution has no engine '" + engine + "'.");
    }
}
