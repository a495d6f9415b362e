package org.backplane.itests;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import org.junit.runners.model.InitializationError;

/**
 * Runs a class with Pax Exam where /dev/kvm opens, with the payloads built, and skips it elsewhere.
 */
public final class WithKvm extends SkippableExam {
    private static final Path KVM = Path.of("/dev/kvm");

    public WithKvm(Class<?> tests) throws InitializationError {
        super(tests, obstacle());
    }

    private static Optional<String> obstacle() throws InitializationError {
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
}
