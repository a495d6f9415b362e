package org.backplane.kvm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/** What stands behind the host's KVM. */
enum Kind {
    /** The processor's own virtualization, SVM or VT-x: runs stock kernels. */
    HARDWARE,
    /**
     * A page-table virtual machine, found inside of cloud VMs: privileged guest code is
     * interpreted, which is too slow for a stock kernel and lacks instructions that it needs.
     */
    PVM;

    /**
     * Judges by the names of KVM's kernel modules, and where those cannot be seen, by whether the
     * processor shows virtualization. The bits alone prove nothing: KVM exists without them.
     *
     * @param modules {@code /sys/module}
     * @param processors {@code /proc/cpuinfo}
     */
    static Kind of(Path modules, Path processors) {
        if (Files.exists(modules.resolve("kvm_intel"))
                || Files.exists(modules.resolve("kvm_amd"))) {
            return HARDWARE;
        }
        if (Files.exists(modules.resolve("kvm_pvm"))) {
            return PVM;
        }
        return shown(processors) ? HARDWARE : PVM;
    }

    private static boolean shown(Path processors) {
        try (var lines = Files.lines(processors)) {
            return lines.filter(line -> line.startsWith("flags"))
                    .flatMap(line -> Arrays.stream(line.split("\\s+")))
                    .anyMatch(flag -> flag.equals("vmx") || flag.equals("svm"));
        } catch (IOException e) {
            // What cannot be seen is taken for the kind that all hosts with a /dev/kvm of their own
            // have.
            return true;
        }
    }

    /** The kind that the user says it is: {@code hardware} or {@code pvm}; empty for none. */
    static Optional<Kind> named(String name) {
        if (name == null || name.isEmpty()) {
            return Optional.empty();
        }
        return Arrays.stream(values())
                .filter(kind -> kind.name().equalsIgnoreCase(name))
                .findFirst()
                .or(
                        () -> {
                            throw new IllegalArgumentException(
                                    "the kind of KVM is 'hardware' or 'pvm', not '" + name + "'");
                        });
    }
}
