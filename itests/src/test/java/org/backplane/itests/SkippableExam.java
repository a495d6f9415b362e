package org.backplane.itests;

import java.util.Optional;
import org.junit.AssumptionViolatedException;
import org.junit.runner.Description;
import org.junit.runner.Runner;
import org.junit.runner.manipulation.Filter;
import org.junit.runner.manipulation.Filterable;
import org.junit.runner.manipulation.NoTestsRemainException;
import org.junit.runner.notification.Failure;
import org.junit.runner.notification.RunNotifier;
import org.junit.runners.model.InitializationError;
import org.ops4j.pax.exam.junit.PaxExam;

/**
 * Runs a class with Pax Exam where it can run, and skips it elsewhere with one line: an assumption
 * that fails inside of the framework would come out as an error.
 */
abstract class SkippableExam extends Runner implements Filterable {
    private final Class<?> tests;
    private final Optional<String> obstacle;
    private final Optional<PaxExam> exam;

    /**
     * @param obstacle why the tests cannot run here
     */
    SkippableExam(Class<?> tests, Optional<String> obstacle) throws InitializationError {
        this.tests = tests;
        this.obstacle = obstacle;
        exam = obstacle.isPresent() ? Optional.empty() : Optional.of(new PaxExam(tests));
    }

    final Class<?> tests() {
        return tests;
    }

    @Override
    public final Description getDescription() {
        return exam.map(PaxExam::getDescription).orElse(Description.createSuiteDescription(tests));
    }

    @Override
    public final void filter(Filter filter) throws NoTestsRemainException {
        if (exam.isPresent()) {
            exam.get().filter(filter);
        }
    }

    @Override
    public void run(RunNotifier notifier) {
        if (exam.isPresent()) {
            exam.get().run(notifier);
            return;
        }
        String reason = "skipped: " + obstacle.orElseThrow();
        System.out.println(tests.getSimpleName() + " " + reason);
        Description all = Description.createTestDescription(tests, "everything");
        notifier.fireTestStarted(all);
        notifier.fireTestAssumptionFailed(
                new Failure(all, new AssumptionViolatedException(reason)));
        notifier.fireTestFinished(all);
    }
}
