package org.backplane.itests;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.runners.model.InitializationError;

/** Runs a class with Pax Exam where the demo's guest is in the cache, and skips it elsewhere. */
public final class WithGuest extends SkippableExam {
    public WithGuest(Class<?> tests) throws InitializationError {
        super(tests, obstacle());
    }

    private static Optional<String> obstacle() {
        return Files.exists(initrd())
                ? Optional.empty()
                : Optional.of(
                        "there is no guest at %s; './backplane demo' fetches one"
                                .formatted(guest()));
    }

    public static Path kernel() {
        return guest().resolve("vmlinux");
    }

    /** Written last: where it is, everything is. */
    public static Path initrd() {
        return guest().resolve("initrd.cpio");
    }

    private static Path guest() {
        String cache = System.getenv("XDG_CACHE_HOME");
        Path base =
                cache == null || cache.isEmpty()
                        ? Path.of(System.getProperty("user.home"), ".cache")
                        : Path.of(cache);
        return base.resolve("backplane/guest");
    }
}
