package org.backplane.machine;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.backplane.hypervisor.Hypervisor;
import org.backplane.machine.deploy.Arrival;
import org.backplane.machine.deploy.Deployer;
import org.backplane.machine.processor.MachineThread;
import org.osgi.annotation.bundle.Header;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.FrameworkListener;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.framework.startlevel.FrameworkStartLevel;

/**
 * Builds the machine once the framework has started every bundle of the first list, from the plan
 * that the launcher left as a service, and offers it as a service.
 */
@Header(name = Constants.BUNDLE_ACTIVATOR, value = "${@class}")
public final class Activator implements BundleActivator, FrameworkListener {
    private static final Logger LOG = System.getLogger(Activator.class.getName());
    private static final String PLAN = "(org.backplane.plan=true)";
    private static final String END = "(org.backplane.end=true)";
    private static final String ENGINE = "(org.backplane.engine=true)";
    private static final String RUNNING = "(org.backplane.running=true)";

    private BundleContext context;
    private Optional<Plan> plan = Optional.empty();
    private Deployer deployer;
    private Thread builder;
    private boolean stopped;
    private VirtualMachine machine;
    private ServiceRegistration<Machine> registration;

    @Override
    public synchronized void start(BundleContext bundleContext) {
        context = bundleContext;
        Supplier<List<Map<String, String>>> engines = () -> engines().report();
        context.registerService(
                Supplier.class,
                engines,
                FrameworkUtil.asDictionary(Map.of("org.backplane.engines", true)));
        plan = this.<Map<String, ?>>service(Map.class, PLAN).map(Plan::of);
        if (plan.isEmpty()) {
            LOG.log(Level.INFO, "No plan: no machine.");
            return;
        }
        var arrivals = new Arrivals();
        deployer =
                new Deployer(
                        context,
                        plan.get().runFolder().resolve("jars"),
                        arrivals::uses,
                        plan.get().bounds().call());
        if (plan.get().bundles().isPresent() || plan.get().config().isPresent()) {
            WatchedFolders.register(context, plan.get(), deployer, arrivals);
        }
        context.addFrameworkListener(this);
        Bundle system = context.getBundle(Constants.SYSTEM_BUNDLE_LOCATION);
        if (system.getState() == Bundle.ACTIVE
                && system.adapt(FrameworkStartLevel.class).getStartLevel() > 0) {
            build();
        }
    }

    @Override
    public void frameworkEvent(FrameworkEvent event) {
        if (event.getType() == FrameworkEvent.STARTED) {
            build();
        }
    }

    /** On a thread of its own: the framework's event thread must not wait for a guest to load. */
    private synchronized void build() {
        if (builder == null && !stopped) {
            builder = new MachineThread("machine/build", this::run);
            builder.start();
        }
    }

    private void run() {
        CompletableFuture<Integer> end =
                this.<CompletableFuture<Integer>>service(CompletableFuture.class, END)
                        .orElseGet(CompletableFuture::new);
        try {
            var made = VirtualMachine.of(plan.orElseThrow(), engines(), deployer, context, end);
            synchronized (this) {
                if (stopped) {
                    made.close();
                    return;
                }
                machine = made;
                registration = context.registerService(Machine.class, made, null);
            }
            made.start();
            plan.get()
                    .serve()
                    .ifPresent(
                            socket ->
                                    chosen(
                                            "serves %s at %s"
                                                    .formatted(
                                                            plan.get().slots().get(0).kind(),
                                                            socket)));
            this.<Runnable>service(Runnable.class, RUNNING).ifPresent(Runnable::run);
        } catch (MachineException e) {
            LOG.log(Level.ERROR, e.getMessage(), e);
            // What the plan asks for cannot be had: to the launcher this is bad input.
            end.completeExceptionally(new IllegalArgumentException(e.getMessage(), e));
        } catch (RuntimeException | Error e) {
            LOG.log(Level.ERROR, "The machine could not be built.", e);
            end.completeExceptionally(e);
        }
    }

    private Engines engines() {
        return new Engines(services(Hypervisor.class, null), this::chosen);
    }

    /** Which engine it is and why, for the log and the user. */
    private void chosen(String line) {
        LOG.log(Level.INFO, line);
        this.<Consumer<String>>service(Consumer.class, ENGINE).ifPresent(user -> user.accept(line));
    }

    private <T> Optional<T> service(Class<? super T> type, String filter) {
        return this.<T>services(type, filter).stream().findFirst();
    }

    /** The best ranked first. */
    @SuppressWarnings("unchecked")
    private <T> List<T> services(Class<? super T> type, String filter) {
        try {
            // References compare as the framework ranks them.
            return context.getServiceReferences(type, filter).stream()
                    .sorted(Comparator.reverseOrder())
                    .map(reference -> (T) context.getService((ServiceReference<?>) reference))
                    .filter(Objects::nonNull)
                    .toList();
        } catch (InvalidSyntaxException e) {
            throw new IllegalArgumentException(filter, e);
        }
    }

    @Override
    public void stop(BundleContext bundleContext) {
        VirtualMachine ending;
        synchronized (this) {
            stopped = true;
            ending = machine;
            machine = null;
            if (registration != null) {
                registration.unregister();
                registration = null;
            }
        }
        if (ending != null) {
            ending.close();
        }
        if (deployer != null) {
            deployer.close();
        }
    }

    private synchronized Optional<VirtualMachine> machine() {
        return Optional.ofNullable(machine);
    }

    /**
     * Until the machine is there, a bundle only has to be: its slots are filled when it is built.
     */
    private final class Arrivals implements Arrival {
        @Override
        public void arrived(Bundle bundle) throws MachineException {
            Optional<VirtualMachine> now = machine();
            if (now.isPresent()) {
                now.get().swaps().arrived(bundle);
            }
        }

        @Override
        public void refused(String symbolicName, String reason) {
            machine().ifPresent(now -> now.swaps().refused(symbolicName, reason));
        }

        @Override
        public boolean uses(Bundle bundle) {
            return machine().filter(now -> now.swaps().uses(bundle)).isPresent();
        }
    }
}
