package org.backplane.itests;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.AssumptionViolatedException;
import org.junit.runner.Description;
import org.junit.runner.Runner;
import org.junit.runner.notification.Failure;
import org.junit.runner.notification.RunNotifier;
import org.junit.runners.model.InitializationError;
import org.ops4j.pax.exam.junit.PaxExam;

/**
 * Runs a class with Pax Exam where the demo's guest is in the cache, and skips it elsewhere: an
 * assumption that fails inside of the framework would come out as an error.
 */
public final class WithGuest extends Runner {
    private final Class<?> tests;
    private final Optional<Runner> exam;

    public WithGuest(Class<?> tests) throws InitializationError {
        this.tests = tests;
        exam = Files.exists(initrd()) ? Optional.of(new PaxExam(tests)) : Optional.empty();
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

    @Override
    public Description getDescription() {
        return exam.map(Runner::getDescription).orElse(Description.createSuiteDescription(tests));
    }

    @Override
    public void run(RunNotifier notifier) {
        if (exam.isPresent()) {
            exam.get().run(notifier);
            return;
        }
        String reason =
                "skipped: there is no guest at %s; './backplane demo' fetches one"
                        .formatted(guest());
        System.out.println(tests.getSimpleName() + " " + reason);
        Description all = Description.createTestDescription(tests, "everything");
        notifier.fireTestStarted(all);
        notifier.fireTestAssumptionFailed(
                new Failure(all, new AssumptionViolatedException(reason)));
        notifier.fireTestFinished(all);
    }
}
