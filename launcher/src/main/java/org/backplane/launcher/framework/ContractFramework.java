package org.backplane.launcher.framework;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.apache.felix.framework.FrameworkFactory;
import org.backplane.launcher.framework.Distribution.Group;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.wiring.FrameworkWiring;

/**
 * Felix with the board's bundles, the testkit and one device bundle; there is no machine. Used by
 * one thread.
 */
public final class ContractFramework implements AutoCloseable {
    private static final String FACTORY = "org.backplane.device.DeviceFactory";
    private static final String KIND = "org.backplane.kind";
    private static final String CONTRACT = "(org.backplane.contract=true)";
    private static final int STOP_SECONDS = 10;

    /** As long as a machine waits for a call into a device. */
    private static final int START_SECONDS = 5;

    /**
     * What came of a clause of the contract.
     *
     * @param outcome KEPT, BROKEN or NOT_JUDGED
     * @param sentence what is not kept; empty if it is
     */
    public record Verdict(String outcome, String clause, String sentence) {}

    private final Framework framework;
    private final Bundle device;
    private final SortedMap<String, ServiceReference<?>> factories = new TreeMap<>();

    /** A bundle that is still being started holds the framework's locks: nothing can be stopped. */
    private boolean held;

    /**
     * Starts the framework and the bundle.
     *
     * @param folder for the framework's own files; the caller deletes it
     * @param jar the device bundle
     * @throws StartException something cannot be installed, resolved or started
     */
    public ContractFramework(Distribution distribution, Path folder, Path jar)
            throws StartException, IOException {
        System.setProperty(
                "jffi.extract.dir", Files.createDirectory(folder.resolve("native")).toString());
        Map<String, String> configuration = new HashMap<>();
        configuration.put(Constants.FRAMEWORK_STORAGE, folder.resolve("felix-cache").toString());
        configuration.put("felix.log.level", "0");
        framework = new FrameworkFactory().newFramework(configuration);
        try {
            device = start(distribution, jar);
        } catch (BundleException e) {
            stop();
            throw new StartException(List.of(jar.getFileName() + ": " + deepest(e)), e);
        } catch (StartException | IOException e) {
            stop();
            throw e;
        }
    }

    private Bundle start(Distribution distribution, Path jar)
            throws BundleException, StartException, IOException {
        framework.start();
        BundleContext context = framework.getBundleContext();
        List<Bundle> bundles = new ArrayList<>();
        for (Group group : List.of(Group.BOARD, Group.TESTKIT)) {
            for (Path each : distribution.bundles(group)) {
                bundles.add(context.installBundle(each.toUri().toString()));
            }
        }
        Bundle last = context.installBundle(jar.toUri().toString());
        bundles.add(last);
        if (!framework.adapt(FrameworkWiring.class).resolveBundles(bundles)) {
            throw new StartException(
                    new Unresolved(List.of(context.getBundles())).sentences(), null);
        }
        for (Bundle bundle : bundles) {
            if (bundle != last) {
                bundle.start();
            }
        }
        startWithinBound(last, jar);
        for (ServiceReference<?> service : services(last)) {
            factories.put(String.valueOf(service.getProperty(KIND)), service);
        }
        return last;
    }

    /** On a thread of its own, which is left behind if the bundle does not let it go. */
    private void startWithinBound(Bundle bundle, Path jar) throws BundleException, StartException {
        FutureTask<Void> task =
                new FutureTask<>(
                        () -> {
                            bundle.start();
                            return null;
                        });
        Thread thread = new Thread(task, "start of " + jar.getFileName());
        thread.setDaemon(true);
        thread.start();
        try {
            task.get(START_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            held = true;
            throw new StartException(
                    List.of(
                            "%s: its activator did not return from start within %d s"
                                    .formatted(jar.getFileName(), START_SECONDS)),
                    e);
        } catch (InterruptedException e) {
            held = true;
            Thread.currentThread().interrupt();
            throw new StartException(List.of(jar.getFileName() + ": interrupted"), e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof BundleException refused) {
                throw refused;
            }
            throw new StartException(
                    List.of(jar.getFileName() + " cannot be started: " + e.getCause()), e);
        }
    }

    private static List<ServiceReference<?>> services(Bundle bundle) {
        ServiceReference<?>[] services = bundle.getRegisteredServices();
        return services == null
                ? List.of()
                : Arrays.stream(services)
                        .filter(
                                service ->
                                        List.of(
                                                        (String[])
                                                                service.getProperty(
                                                                        Constants.OBJECTCLASS))
                                                .contains(FACTORY))
                        .toList();
    }

    private static String deepest(Throwable thrown) {
        Throwable deepest = thrown;
        while (deepest.getCause() != null) {
            deepest = deepest.getCause();
        }
        return deepest == thrown ? thrown.getMessage() : thrown.getMessage() + ": " + deepest;
    }

    /** The kinds that the bundle offers, now that it is started. */
    public List<String> kinds() {
        return List.copyOf(factories.keySet());
    }

    /**
     * Judges the devices of a kind.
     *
     * @param begun told each clause before it is judged
     * @param told the verdict after that
     */
    public void judge(
            String kind,
            Map<String, String> settings,
            Consumer<String> begun,
            Consumer<Verdict> told) {
        BundleContext context = framework.getBundleContext();
        Map<String, Object> request =
                Map.of(
                        "kind", kind,
                        "factory", device.getBundleContext().getService(factories.get(kind)),
                        "settings", settings,
                        "begun", begun);
        Consumer<List<String>> words =
                verdict -> told.accept(new Verdict(verdict.get(0), verdict.get(1), verdict.get(2)));
        contract(context).apply(request, words);
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static BiFunction<Map<String, Object>, Consumer<List<String>>, Integer> contract(
            BundleContext context) {
        try {
            for (ServiceReference<BiFunction> found :
                    context.getServiceReferences(BiFunction.class, CONTRACT)) {
                return context.getService(found);
            }
        } catch (InvalidSyntaxException e) {
            throw new IllegalArgumentException(CONTRACT, e);
        }
        throw new IllegalStateException("the contract bundle offers no contract");
    }

    private void stop() {
        if (held) {
            return;
        }
        try {
            framework.stop();
            framework.waitForStop(TimeUnit.SECONDS.toMillis(STOP_SECONDS));
        } catch (BundleException e) {
            throw new IllegalStateException("the framework cannot be stopped", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        stop();
    }
}
