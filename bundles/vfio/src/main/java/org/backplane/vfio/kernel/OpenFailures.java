package org.backplane.vfio.kernel;

import java.nio.file.Path;
import org.backplane.vfio.VfioException;

/** Sentences for the file of a group or device that does not open. */
final class OpenFailures {
    private OpenFailures() {}

    static VfioException of(
            HostPci host, HostFunction function, Path path, HostKernel.Refusal refusal) {
        String sentence =
                switch (refusal.errno()) {
                    case HostKernel.EBUSY ->
                            "%s is busy: %s is held by %s; end that, or give this machine another device."
                                    .formatted(
                                            function.address(),
                                            path,
                                            host.holder(path)
                                                    .orElse(
                                                            "a process that this user does not see"));
                    case HostKernel.EACCES, HostKernel.EPERM ->
                            "%s cannot be opened by this user, and with it not %s; give it away with: chown %s %s"
                                    .formatted(
                                            path,
                                            function.address(),
                                            System.getProperty("user.name"),
                                            path);
                    case HostKernel.ENOENT, HostKernel.ENODEV, HostKernel.ENXIO ->
                            "%s is not there for %s: it was taken from VFIO, or from the host; look with: backplane check"
                                    .formatted(path, function.address());
                    default ->
                            "%s cannot be opened for %s: %s; see 'dmesg'."
                                    .formatted(path, function.address(), refusal.getMessage());
                };
        return new VfioException(sentence, refusal);
    }
}
