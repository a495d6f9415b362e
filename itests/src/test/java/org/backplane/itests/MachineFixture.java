package org.backplane.itests;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.backplane.hypervisor.Hypervisor;
import org.backplane.machine.Machine;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.util.tracker.ServiceTracker;
import org.osgi.util.tracker.ServiceTrackerCustomizer;

/** A machine in the test's framework, built from a plan as the launcher would leave it. */
final class MachineFixture {
    /** Only so that a hanging test ends. */
    private static final long PATIENCE_SECONDS = 120;

    private final BundleContext context;
    private final CompletableFuture<Integer> end = new CompletableFuture<>();
    private final List<ServiceRegistration<?>> services = new ArrayList<>();
    private final Machine machine;

    private MachineFixture(
            BundleContext context, Map<String, Object> plan, Optional<Hypervisor> engine)
            throws BundleException, IOException {
        this.context = context;
        engine.ifPresent(offered -> offer(Hypervisor.class, offered, Constants.SERVICE_RANKING, 1));
        machine = await(start(plan));
    }

    private CompletableFuture<Machine> start(Map<String, Object> plan)
            throws BundleException, IOException {
        Path runFolder =
                Files.createTempDirectory(ProjectBundle.root().resolve("itests/target"), "run");
        Map<String, Object> whole = new HashMap<>(plan);
        whole.putIfAbsent("name", "itests");
        whole.putIfAbsent("memory", 64L << 20);
        whole.putIfAbsent("runFolder", runFolder.toString());
        offer(Map.class, whole, "org.backplane.plan", true);
        offer(CompletableFuture.class, end, "org.backplane.end", true);
        CompletableFuture<Machine> made = new CompletableFuture<>();
        end.whenComplete((status, failure) -> made.completeExceptionally(failure));
        ServiceTracker<Machine, Machine> tracker =
                new ServiceTracker<>(context, Machine.class, new Arrival(context, made));
        tracker.open();
        Bundle bundle = bundle("org.backplane.machine");
        // It looks for a plan when it starts.
        bundle.stop();
        bundle.start();
        return made;
    }

    private MachineFixture(BundleContext context) {
        this.context = context;
        machine = null;
    }

    /** What the end is told of a plan that no machine can be made from. */
    static String refusal(BundleContext context, Map<String, Object> plan)
            throws BundleException, IOException {
        var fixture = new MachineFixture(context);
        fixture.start(plan);
        Throwable refusal = failure(fixture.end);
        fixture.stop();
        if (!(refusal instanceof IllegalArgumentException)) {
            throw new AssertionError("not told as bad input", refusal);
        }
        return refusal.getMessage();
    }

    /** Ends the machine at once, as the end of its process would; another can be made then. */
    void stop() throws BundleException {
        bundle("org.backplane.machine").stop();
        services.forEach(ServiceRegistration::unregister);
        services.clear();
    }

    private <T> void offer(Class<T> type, T service, String property, Object value) {
        services.add(
                context.registerService(
                        type, service, FrameworkUtil.asDictionary(Map.of(property, value))));
    }

    /** A machine whose processors are the test's. */
    static MachineFixture on(BundleContext context, DrivenEngine engine, Map<String, Object> plan)
            throws BundleException, IOException {
        return new MachineFixture(context, plan, Optional.of(engine));
    }

    /** A machine with the plan's guest, on whatever engine is installed. */
    static MachineFixture of(BundleContext context, Map<String, Object> plan)
            throws BundleException, IOException {
        return new MachineFixture(context, plan, Optional.empty());
    }

    Machine machine() {
        return machine;
    }

    /** Completed with the exit status when the machine has ended. */
    CompletableFuture<Integer> end() {
        return end;
    }

    Bundle bundle(String symbolicName) {
        return Arrays.stream(context.getBundles())
                .filter(bundle -> symbolicName.equals(bundle.getSymbolicName()))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no bundle " + symbolicName));
    }

    static <T> T await(CompletableFuture<T> future) {
        try {
            return future.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException failed) {
            throw new AssertionError(failed);
        }
    }

    /** What a future was completed with that must not succeed. */
    static Throwable failure(CompletableFuture<?> future) {
        try {
            throw new AssertionError(
                    "not refused: " + future.get(PATIENCE_SECONDS, TimeUnit.SECONDS));
        } catch (ExecutionException failed) {
            return failed.getCause();
        } catch (InterruptedException | TimeoutException failed) {
            throw new AssertionError(failed);
        }
    }

    private record Arrival(BundleContext context, CompletableFuture<Machine> made)
            implements ServiceTrackerCustomizer<Machine, Machine> {
        @Override
        public Machine addingService(ServiceReference<Machine> reference) {
            Machine machine = context.getService(reference);
            made.complete(machine);
            return machine;
        }

        @Override
        public void modifiedService(ServiceReference<Machine> reference, Machine machine) {
            // It has no properties.
        }

        @Override
        public void removedService(ServiceReference<Machine> reference, Machine machine) {
            context.ungetService(reference);
        }
    }
}
