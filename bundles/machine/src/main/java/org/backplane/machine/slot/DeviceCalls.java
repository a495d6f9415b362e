package org.backplane.machine.slot;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.IntSupplier;
import org.backplane.device.DeviceException;

/**
 * The control thread's calls into a device, each on a thread lent for it: a device that does not
 * return keeps that thread, and the slot goes on without it.
 */
final class DeviceCalls {
    private static final Logger LOG = System.getLogger(DeviceCalls.class.getName());

    private final String slot;
    private final ExecutorService threads;
    private final Duration bound;

    /**
     * @param threads makes {@link org.backplane.machine.processor.MachineThread}s as needed; stays
     *     the caller's
     * @param bound on each call
     */
    DeviceCalls(String slot, ExecutorService threads, Duration bound) {
        this.slot = slot;
        this.threads = threads;
        this.bound = bound;
    }

    /** A call without a value. */
    @FunctionalInterface
    interface Action {
        void run() throws Exception;
    }

    /**
     * Makes the call and waits for it.
     *
     * @param what for messages: {@code create}
     * @throws DeviceException what the device threw, or that it did not return within the bound
     */
    <T> T call(String what, Callable<T> call) throws DeviceException, InterruptedException {
        return call(what, bound, () -> 1, call);
    }

    /**
     * As {@link #call(String, Callable)}, for a call that may need more patience.
     *
     * @param patience how many times the bound it has now; asked each time that the bound is over
     */
    <T> T call(String what, IntSupplier patience, Callable<T> call)
            throws DeviceException, InterruptedException {
        return call(what, bound, patience, call);
    }

    private <T> T call(String what, Duration bound, IntSupplier patience, Callable<T> call)
            throws DeviceException, InterruptedException {
        var running = new Running<>(slot + "/" + what, call);
        threads.execute(running);
        try {
            return running.get(bound, patience);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof DeviceException refusal) {
                throw refusal;
            }
            throw new DeviceException(Occupant.sentence(e.getCause()), e.getCause());
        } catch (TimeoutException e) {
            String stack = running.stack();
            LOG.log(
                    Level.WARNING,
                    () -> "%s: %s does not return:\n%s".formatted(slot, what, stack));
            throw new DeviceException(
                    "its %s did not return within %s; its stack is in the log"
                            .formatted(what, Bounds.text(bound)),
                    e);
        } finally {
            // One that has not ended is told to, in case it listens.
            running.cancel(true);
        }
    }

    void run(String what, Action action) throws DeviceException, InterruptedException {
        run(what, bound, action);
    }

    /** As {@link #run(String, Action)}, with a bound of its own. */
    void run(String what, Duration bound, Action action)
            throws DeviceException, InterruptedException {
        call(
                what,
                bound,
                () -> 1,
                () -> {
                    action.run();
                    return null;
                });
    }

    /** A call that knows its thread while it runs. */
    private static final class Running<T> extends FutureTask<T> implements Future<T> {
        private final String name;
        private volatile Thread thread;

        Running(String name, Callable<T> call) {
            super(call);
            this.name = name;
        }

        /** Waits for it as many times the bound as there is patience. */
        T get(Duration bound, IntSupplier patience)
                throws ExecutionException, TimeoutException, InterruptedException {
            for (int waited = 1; ; waited++) {
                try {
                    return get(bound.toNanos(), TimeUnit.NANOSECONDS);
                } catch (TimeoutException e) {
                    if (waited >= patience.getAsInt()) {
                        throw e;
                    }
                }
            }
        }

        @Override
        public void run() {
            Thread lent = Thread.currentThread();
            String idle = lent.getName();
            lent.setName(name);
            thread = lent;
            try {
                super.run();
            } finally {
                thread = null;
                lent.setName(idle);
                // What is left of the cancelling concerns no other call.
                Thread.interrupted();
            }
        }

        String stack() {
            Thread now = thread;
            return now == null ? "" : Gate.stack(now);
        }
    }
}
