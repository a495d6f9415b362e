package org.backplane.contract;

import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Judges one clause at a time, each on a thread and in a thread group of its own: what the device
 * starts is told from what anybody else does, and a call that does not return is left behind.
 */
final class Judge {
    private static final long LOOK_MILLISECONDS = 50;

    private final Subject subject;
    private final Duration bound;

    /**
     * @param bound of a single call into a device
     */
    Judge(Subject subject, Duration bound) {
        this.subject = subject;
        this.bound = bound;
    }

    Verdict judge(Clause clause) {
        Trial trial = new Trial(subject, new Calls());
        FutureTask<Void> task =
                new FutureTask<>(
                        () -> {
                            clause.check().run(trial);
                            return null;
                        });
        ThreadGroup group = new ThreadGroup(subject.kind() + "/" + clause.name());
        Thread thread = new Thread(group, task, group.getName());
        thread.setDaemon(true);
        thread.start();
        try {
            String broken = outcome(task, thread, trial.calls());
            return broken.isEmpty()
                    ? new Verdict(clause.name(), Verdict.Outcome.KEPT, "")
                    : new Verdict(clause.name(), Verdict.Outcome.BROKEN, broken);
        } catch (InterruptedException e) {
            thread.interrupt();
            Thread.currentThread().interrupt();
            return new Verdict(clause.name(), Verdict.Outcome.NOT_JUDGED, "interrupted");
        }
    }

    private String outcome(FutureTask<Void> task, Thread thread, Calls calls)
            throws InterruptedException {
        for (; ; ) {
            try {
                task.get(LOOK_MILLISECONDS, TimeUnit.MILLISECONDS);
                return "";
            } catch (TimeoutException goesOn) {
                Calls.Call call = calls.current();
                if (call != null && System.nanoTime() - call.since() > bound.toNanos()) {
                    String where = where(thread.getStackTrace());
                    thread.interrupt();
                    return "did not return from %s within %d ms%s"
                            .formatted(call.name(), bound.toMillis(), where);
                }
            } catch (ExecutionException broken) {
                return sentence(broken.getCause());
            }
        }
    }

    private static String sentence(Throwable broken) {
        return broken instanceof AssertionError && broken.getMessage() != null
                ? broken.getMessage()
                : "threw %s%s".formatted(broken, where(broken.getStackTrace()));
    }

    /** The innermost frame of the device's code, for a message; empty if there is none. */
    static String where(StackTraceElement[] stack) {
        for (StackTraceElement frame : stack) {
            String name = frame.getClassName();
            if (!name.startsWith("java.")
                    && !name.startsWith("jdk.")
                    && !name.startsWith("sun.")
                    && !name.startsWith("com.sun.")
                    && !name.startsWith("com.kenai.jffi.")) {
                return " (%s.%s, line %d)"
                        .formatted(
                                name.substring(name.lastIndexOf('.') + 1),
                                frame.getMethodName(),
                                frame.getLineNumber());
            }
        }
        return "";
    }
}
