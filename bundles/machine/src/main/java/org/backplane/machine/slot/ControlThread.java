package org.backplane.machine.slot;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.backplane.machine.MachineException;
import org.backplane.machine.processor.MachineThread;

/**
 * The one thread on which everything happens to a slot. It never calls the OSGi framework. Callers
 * wait bounded and hold no lock meanwhile.
 */
public final class ControlThread implements AutoCloseable {
    private static final Logger LOG = System.getLogger(ControlThread.class.getName());

    /** Longer than every bound inside of an operation together, the opening of what is kept too. */
    private static final Duration CALL_BOUND = Duration.ofSeconds(150);

    private final String name;
    private final ExecutorService executor;

    /** An operation; its exception reaches the caller. */
    @FunctionalInterface
    public interface Task<T> {
        T run() throws MachineException, InterruptedException;
    }

    /** An operation without a value. */
    @FunctionalInterface
    public interface Action {
        void run() throws MachineException, InterruptedException;
    }

    public ControlThread(String name) {
        this.name = name;
        executor =
                Executors.newSingleThreadExecutor(
                        work -> new MachineThread(name + "/control", work));
    }

    /** Runs the task and waits for it. */
    public <T> T call(String what, Task<T> task) throws MachineException {
        return call(what, CALL_BOUND, task);
    }

    /** As {@link #call(String, Task)}, for what may take longer than usual. */
    public <T> T call(String what, Duration bound, Task<T> task) throws MachineException {
        CompletableFuture<T> result = submit(what, task);
        try {
            return result.get(bound.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof MachineException refusal) {
                throw new MachineException(refusal.getMessage(), refusal);
            }
            throw new MachineException(
                    "%s: %s failed: %s".formatted(name, what, e.getCause()), e.getCause());
        } catch (TimeoutException e) {
            throw new MachineException(
                    "%s: %s did not end within %d s; it goes on."
                            .formatted(name, what, bound.toSeconds()),
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MachineException("%s: interrupted in %s.".formatted(name, what), e);
        }
    }

    public void callAction(String what, Action action) throws MachineException {
        call(
                what,
                () -> {
                    action.run();
                    return null;
                });
    }

    /** Runs the action some time later; a failure is logged. */
    public void post(String what, Action action) {
        start(what, action)
                .whenComplete(
                        (nothing, failure) -> {
                            if (failure != null) {
                                LOG.log(
                                        Level.WARNING,
                                        () -> "%s: %s failed".formatted(name, what),
                                        failure);
                            }
                        });
    }

    /** Runs the action some time later; completed with its failure, or when it has ended. */
    CompletableFuture<Void> start(String what, Action action) {
        return submit(
                what,
                () -> {
                    action.run();
                    return null;
                });
    }

    private <T> CompletableFuture<T> submit(String what, Task<T> task) {
        var result = new CompletableFuture<T>();
        try {
            executor.execute(
                    () -> {
                        try {
                            result.complete(task.run());
                        } catch (Throwable e) {
                            // Whatever a device throws ends this task, never the thread.
                            result.completeExceptionally(e);
                        }
                    });
        } catch (RejectedExecutionException e) {
            result.completeExceptionally(
                    new MachineException("%s is gone: no %s.".formatted(name, what), e));
        }
        return result;
    }

    boolean closed() {
        return executor.isShutdown();
    }

    /** Takes no more operations; those posted earlier still run. */
    @Override
    public void close() {
        executor.shutdown();
    }
}
