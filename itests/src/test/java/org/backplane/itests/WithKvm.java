package org.backplane.itests;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import org.junit.runner.Description;
import org.junit.runner.notification.RunListener;
import org.junit.runner.notification.RunNotifier;
import org.junit.runners.model.InitializationError;

/**
 * Runs a class with Pax Exam where /dev/kvm opens, with the payloads built, and skips it elsewhere.
 */
public final class WithKvm extends SkippableExam {
    private static final Path KVM = Path.of("/dev/kvm");

    public WithKvm(Class<?> tests) throws InitializationError {
        super(tests, obstacle());
    }

    /** Runs them, and says how long that took: it is meant to be under 5 seconds. */
    @Override
    public void run(RunNotifier notifier) {
        RunListener clock = new Clock(tests());
        notifier.addListener(clock);
        super.run(notifier);
        notifier.removeListener(clock);
    }

    static Optional<String> obstacle() throws InitializationError {
        try (FileChannel kvm =
                FileChannel.open(KVM, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            Optional<String> obstacle = Payloads.obstacle();
            if (obstacle.isEmpty()) {
                Payloads.build();
            }
            return obstacle;
        } catch (IOException closed) {
            return Optional.of("%s cannot be opened (%s)".formatted(KVM, closed));
        } catch (InterruptedException interrupted) {
            throw new InitializationError(interrupted);
        }
    }

    /** From the first test's beginning to the last one's end. */
    private static final class Clock extends RunListener {
        private final Class<?> tests;
        private long begin;
        private int count;

        Clock(Class<?> tests) {
            this.tests = tests;
        }

        @Override
        public void testStarted(Description test) {
            if (count++ == 0) {
                begin = System.nanoTime();
            }
        }

        @Override
        public void testFinished(Description test) {
            long millis = (System.nanoTime() - begin) / 1_000_000;
            System.out.println(
                    "%s: %d after %d.%03d s (%s)"
                            .formatted(
                                    tests.getSimpleName(),
                                    count,
                                    millis / 1000,
                                    millis % 1000,
                                    test.getMethodName()));
        }
    }
}
