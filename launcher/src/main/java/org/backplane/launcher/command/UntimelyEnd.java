package org.backplane.launcher.command;

import java.util.Arrays;
import org.backplane.launcher.ExitStatus;

/**
 * While it is open, code in this process that ends it with {@code System.exit} changes neither the
 * exit status to its own nor goes unnoticed: a sentence is written to standard error, and the
 * status is {@link ExitStatus#FAILED}. A signal ends the process as ever. {@link Runtime#halt} and
 * a crash cannot be noticed from inside.
 */
final class UntimelyEnd implements AutoCloseable {
    private final String subject;
    private final Runnable tidying;
    private final Thread hook = new Thread(this::ending, "untimely end");
    private volatile String doing;

    /**
     * @param subject whose code it would be
     * @param doing what is done with it first, for the sentence: {@code it was started}
     * @param tidying done before the process ends, after a signal too
     */
    UntimelyEnd(String subject, String doing, Runnable tidying) {
        this.subject = subject;
        this.doing = doing;
        this.tidying = tidying;
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** Says what is done from now on. */
    void doing(String what) {
        doing = what;
    }

    private void ending() {
        boolean called = exitWasCalled();
        if (called) {
            System.out.flush();
            System.err.printf(
                    "backplane: %s ended the process (System.exit) while %s%n", subject, doing);
        }
        tidying.run();
        if (called) {
            Runtime.getRuntime().halt(ExitStatus.FAILED);
        }
    }

    /** Who calls exit waits in it for this hook; a signal and the last thread's end do not call. */
    private static boolean exitWasCalled() {
        return Thread.getAllStackTraces().values().stream()
                .flatMap(Arrays::stream)
                .anyMatch(
                        frame ->
                                frame.getClassName().equals(Runtime.class.getName())
                                        && frame.getMethodName().equals("exit"));
    }

    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException endingAlready) {
            // The hook runs and has the last word; what comes after this is not heard.
            doing = "the judging came to its end";
        }
    }
}
