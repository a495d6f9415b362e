package org.backplane.launcher.command;

import java.util.Optional;
import picocli.CommandLine.Option;

/** How long a machine waits for code that comes and goes. */
final class BoundOptions {
    @Option(
            names = "--vacancy",
            paramLabel = "SECONDS",
            description =
                    "How long the guest waits for a device whose bundle was stopped, before the"
                            + " device is gone (default: 5, at most 15).")
    Optional<String> vacancy = Optional.empty();

    @Option(
            names = "--probation",
            paramLabel = "SECONDS",
            description =
                    "How long after a swap the code before is kept, to take over if the new one"
                            + " fails (default: 10).")
    Optional<String> probation = Optional.empty();
}
