package org.backplane.launcher.option;

import java.util.List;
import java.util.Optional;

/** The options of {@code serve} as written; empty where not given. */
public record ServeOptions(
        Optional<String> device,
        Optional<String> socket,
        Optional<String> name,
        Optional<String> bundles,
        Optional<String> trust,
        Optional<String> web,
        Optional<String> ssh,
        Optional<String> vacancy,
        Optional<String> probation) {

    /** A client waits 5 s for an answer, QEMU for one. */
    private static final String VACANCY = "3";

    /** What such a machine has in common with one that runs a guest; it has no console. */
    RunOptions ends() {
        return new RunOptions(
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                Optional.of("none"),
                name,
                bundles,
                Optional.empty(),
                Optional.empty(),
                trust,
                web,
                ssh,
                vacancy.or(() -> Optional.of(VACANCY)),
                probation,
                EngineOptions.NONE,
                WindowOptions.NONE);
    }
}
