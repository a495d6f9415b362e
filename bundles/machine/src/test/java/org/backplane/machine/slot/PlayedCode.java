package org.backplane.machine.slot;

import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Predicate;
import org.backplane.device.DeviceFactory;
import org.backplane.machine.console.Consoles;
import org.backplane.machine.console.ShellSource;
import org.backplane.machine.processor.MachineThread;
import org.backplane.machine.slot.Factories.Code;
import org.backplane.machine.slot.Factories.Offer;
import org.osgi.framework.Bundle;
import org.osgi.framework.Version;

/** Bundles that offer devices, without a framework, and what slots asked to be done with them. */
final class PlayedCode implements MachineServices.CodeKeeper, AutoCloseable {
    /**
     * Nothing in a test that is right waits for one of these; the first is waited for by those of
     * devices that hang.
     */
    static final Bounds BOUNDS =
            new Bounds(
                    Duration.ofSeconds(1),
                    Duration.ofHours(1),
                    Duration.ofHours(1),
                    Duration.ofHours(1));

    /** With which status devices asked the process to end. */
    final List<Integer> exits = new CopyOnWriteArrayList<>();

    final List<Code> unused = new CopyOnWriteArrayList<>();

    /** Of those, the ones whose bundle was in use at that time, with other code. */
    final List<Code> sharing = new CopyOnWriteArrayList<>();

    final List<Code> failed = new CopyOnWriteArrayList<>();
    final List<Code> comingBack = new CopyOnWriteArrayList<>();
    private final Consoles consoles = new Consoles(() -> {}, ShellSource.NONE);
    private final ExecutorService threads =
            Executors.newCachedThreadPool(work -> new MachineThread("device call", work));
    private final ScheduledExecutorService later = Executors.newSingleThreadScheduledExecutor();
    private volatile Predicate<Bundle> used = bundle -> false;
    private int bundles;

    /** Whether what is plugged from now on is hot. */
    volatile boolean guestStarted;

    MachineServices services() {
        return new MachineServices(
                "machine",
                consoles,
                new SharedResources(),
                request -> {},
                exits::add,
                () -> guestStarted,
                BOUNDS,
                threads,
                later,
                this);
    }

    /** A bundle of its own, version 1.0.n, that offers the factory. */
    Offer offer(String kind, DeviceFactory factory) {
        int id = ++bundles;
        var bundle =
                (Bundle)
                        Proxy.newProxyInstance(
                                getClass().getClassLoader(),
                                new Class<?>[] {Bundle.class},
                                (proxy, method, arguments) ->
                                        switch (method.getName()) {
                                            case "getSymbolicName" -> kind;
                                            case "getVersion" -> new Version(1, 0, id);
                                            case "getBundleId" -> (long) id;
                                            case "hashCode" -> id;
                                            case "equals" -> proxy == arguments[0];
                                            default -> null;
                                        });
        return offer(kind, factory, bundle);
    }

    /** Another offer of a bundle, as after an update. */
    static Offer offer(String kind, DeviceFactory factory, Bundle bundle) {
        return new Offer(
                kind,
                factory,
                0,
                new Code(bundle, CompletableFuture.completedFuture(Path.of("copy.jar"))));
    }

    /** Whom to ask about bundles. */
    void askUse(Predicate<Bundle> use) {
        used = use;
    }

    @Override
    public void withdrawn(Offer offer) {}

    @Override
    public void unused(Code code) {
        unused.add(code);
        if (used.test(code.bundle())) {
            sharing.add(code);
        }
    }

    @Override
    public void failed(Code code) {
        failed.add(code);
    }

    @Override
    public void comeBack(Code gone) {
        comingBack.add(gone);
    }

    @Override
    public void close() {
        threads.shutdownNow();
        later.shutdownNow();
        consoles.close();
    }
}
