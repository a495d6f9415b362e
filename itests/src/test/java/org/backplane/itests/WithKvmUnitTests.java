package org.backplane.itests;

import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.runners.model.InitializationError;

/** Runs a class with Pax Exam where /dev/kvm opens and a folder with kvm-unit-tests is given. */
public final class WithKvmUnitTests extends SkippableExam {
    private static final String PROPERTY = "kvm.unit.tests";
    private static final String VARIABLE = "KVM_UNIT_TESTS";

    public WithKvmUnitTests(Class<?> tests) throws InitializationError {
        super(tests, folder().isEmpty() ? Optional.of(unset()) : WithKvm.obstacle());
    }

    private static String unset() {
        return "neither -D%s=DIR nor the variable %s names a folder with kvm-unit-tests' .flat files"
                .formatted(PROPERTY, VARIABLE);
    }

    static Optional<Path> folder() {
        return Stream.of(System.getProperty(PROPERTY, ""), System.getenv(VARIABLE))
                .filter(value -> value != null && !value.isEmpty())
                .findFirst()
                .map(Path::of);
    }
}
