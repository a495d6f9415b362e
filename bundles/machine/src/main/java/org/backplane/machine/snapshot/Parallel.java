package org.backplane.machine.snapshot;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.backplane.machine.processor.MachineThread;

/**
 * The same work on many things, on as many threads as the host has processors, the caller's too.
 */
final class Parallel {
    /** Memory and storage are not faster for more. */
    private static final int MOST_THREADS = 8;

    private Parallel() {}

    /** Work on one thing. */
    @FunctionalInterface
    interface Work<T> {
        void on(T thing) throws IOException;
    }

    /**
     * Returns when the work was done on each.
     *
     * @param work gives each thread its own
     * @throws IOException the first failure; the other things may not have had their turn
     */
    static <T> void forEach(List<T> things, Supplier<Work<T>> work) throws IOException {
        var next = new AtomicInteger();
        var failure = new AtomicReference<Throwable>();
        Runnable loop =
                () -> {
                    try {
                        Work<T> mine = work.get();
                        int index = next.getAndIncrement();
                        while (index < things.size() && failure.get() == null) {
                            mine.on(things.get(index));
                            index = next.getAndIncrement();
                        }
                    } catch (Throwable e) {
                        // Whatever it is, want of memory included: nothing may pass for done.
                        failure.compareAndSet(null, e);
                    }
                };
        int threads =
                Math.min(
                        Math.min(MOST_THREADS, Runtime.getRuntime().availableProcessors()),
                        things.size());
        List<Thread> others = new ArrayList<>();
        for (int i = 1; i < threads; i++) {
            var thread = new MachineThread("snapshot/" + i, loop);
            thread.start();
            others.add(thread);
        }
        loop.run();
        boolean interrupted = false;
        for (Thread thread : others) {
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    // They use what the caller lends; it must not go before they have ended.
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        Throwable thrown = failure.get();
        if (thrown instanceof IOException e) {
            throw e;
        }
        if (thrown != null) {
            throw new IOException(thrown.toString(), thrown);
        }
    }
}
