package org.backplane.launcher.option;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.backplane.launcher.kernel.Architecture;
import org.backplane.launcher.kernel.KernelFormat;

/**
 * What the user says of the engine. Which engine it becomes is the machine's to decide.
 *
 * @param name of an engine, or {@link #AUTO}
 * @param kvmKind what KVM of this host is said to be; empty: it is found out
 */
public record EngineChoice(String name, Optional<String> kvmKind) {
    /** Whichever fits the kernel, on this host. */
    public static final String AUTO = "auto";

    /** The words of {@code --kvm-kind}. */
    public static final List<String> KVM_KINDS = List.of("hardware", "pvm");

    private static final String OPTION = "--engine";

    /** As far as the options are right. */
    static EngineChoice read(EngineOptions options, Problems problems) {
        String name = options.engine().orElse(AUTO);
        if (!name.equals(AUTO) && !Architecture.hasEngine(name)) {
            problems.add(OPTION, name, "give one of: " + AUTO + ", " + Architecture.engines());
            name = AUTO;
        }
        Optional<String> kind = options.kvmKind();
        if (kind.isPresent() && !KVM_KINDS.contains(kind.get())) {
            problems.add("--kvm-kind", kind.get(), "give " + String.join(" or ", KVM_KINDS));
            kind = Optional.empty();
        }
        return new EngineChoice(name, kind);
    }

    /** Refuses an engine that runs no kernel of that architecture, whatever the host. */
    void refuseOther(Path kernel, KernelFormat format, Problems problems) {
        Architecture architecture = format.architecture();
        if (!name.equals(AUTO) && !name.equals(architecture.engine())) {
            problems.add(
                    OPTION,
                    name,
                    "the kernel '"
                            + kernel
                            + "' is for "
                            + architecture.word()
                            + ", which the engine "
                            + architecture.engine()
                            + " runs; leave "
                            + OPTION
                            + " out, or give another kernel");
        }
    }
}
