package org.backplane.launcher.framework;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.felix.framework.util.FelixConstants;
import org.backplane.launcher.folder.RunFolder;
import org.backplane.launcher.framework.Distribution.Group;
import org.backplane.launcher.option.ListenAddress;
import org.backplane.launcher.option.Plan;
import org.backplane.launcher.terminal.LocalTerminal;
import org.backplane.launcher.trust.TrustFolder;
import org.backplane.launcher.trust.TrustGuard;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.startlevel.BundleStartLevel;
import org.osgi.framework.wiring.FrameworkWiring;

/**
 * Felix with the bundles of a distribution, for one machine. Used by the launcher's main thread;
 * {@link #stop} by the shutdown hook too.
 */
public final class MachineFramework {
    private static final Logger LOG = System.getLogger(MachineFramework.class.getName());
    private static final int RUNNING_LEVEL = Group.SECOND.startLevel();

    private final Distribution distribution;
    private final Framework framework;
    private final Optional<TrustGuard> guard;
    private final Optional<WebPage> web;
    private final Optional<RemoteLogin> ssh;

    /** Whether its server listens, or did. */
    private volatile boolean pageOpen;

    private final CompletableFuture<Object> end = new CompletableFuture<>();
    private final CompletableFuture<Void> secondList = new CompletableFuture<>();
    private final AtomicBoolean secondListAsked = new AtomicBoolean();
    private final List<String> startFailures = new ArrayList<>();

    public MachineFramework(Distribution distribution, RunFolder folder, Properties properties)
            throws IOException {
        this.distribution = distribution;
        // Their classes would be the launcher's, and no resolver is asked about them.
        System.setProperty(FelixConstants.FELIX_EXTENSIONS_DISABLE, "true");
        Path storage = folder.path().resolve("felix-cache");
        Map<String, Object> configuration = new HashMap<>();
        configuration.put("org.backplane.name", properties.name());
        configuration.put("org.backplane.run.folder", folder.path().toString());
        configuration.put(Constants.FRAMEWORK_STORAGE, storage.toString());
        configuration.put(
                Constants.FRAMEWORK_STORAGE_CLEAN, Constants.FRAMEWORK_STORAGE_CLEAN_ONFIRSTINIT);
        configuration.put(Constants.FRAMEWORK_BSNVERSION, Constants.FRAMEWORK_BSNVERSION_MULTIPLE);
        configuration.put(
                Constants.FRAMEWORK_BEGINNING_STARTLEVEL, Integer.toString(RUNNING_LEVEL));
        properties.kvmKind().ifPresent(kind -> configuration.put("org.backplane.kvm.kind", kind));
        properties
                .architecture()
                .ifPresent(word -> configuration.put("org.backplane.architecture", word));
        configuration.put("felix.cm.dir", folder.make("configurations").toString());
        configuration.put("felix.log.level", "0");
        if (!properties.watched().isEmpty()) {
            watch(configuration, folder, properties.watched());
        }
        this.guard =
                properties.trust().isPresent()
                        ? Optional.of(
                                TrustGuard.of(
                                        properties.trust().get(), distribution.digests(), storage))
                        : Optional.empty();
        this.web = properties.web().map(WebPage::new);
        web.ifPresent(page -> page.configure(configuration));
        this.ssh = properties.ssh();
        ssh.ifPresent(login -> login.configure(configuration));
        configuration.put(FelixConstants.SYSTEMBUNDLE_ACTIVATORS_PROP, guard.stream().toList());
        this.framework = new MachineFelix(configuration);
    }

    /**
     * What differs between machines.
     *
     * @param kvmKind what KVM of this host is said to be; empty: it is found out
     * @param architecture of the guest; empty: not known yet
     * @param watched folders of bundles and configurations
     * @param trust what says which bundles are admitted; absent: all are
     * @param web where the web page is served; absent: nowhere, and nothing of it is loaded
     * @param ssh logins by SSH; absent: none, and nothing of them is loaded
     */
    public record Properties(
            String name,
            Optional<String> kvmKind,
            Optional<String> architecture,
            List<Path> watched,
            Optional<TrustFolder> trust,
            Optional<ListenAddress> web,
            Optional<RemoteLogin> ssh) {
        /** Of no machine: nothing is watched, guarded or served. */
        public static Properties withoutMachine(String name, Optional<String> kvmKind) {
            return new Properties(
                    name,
                    kvmKind,
                    Optional.empty(),
                    List.of(),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty());
        }

        /**
         * @param state folder for what outlives machines
         */
        public static Properties of(Plan plan, Path state) {
            List<Path> watched = new ArrayList<>();
            plan.config().ifPresent(watched::add);
            plan.bundles().filter(path -> !watched.contains(path)).ifPresent(watched::add);
            return new Properties(
                    plan.name(),
                    plan.engine().kvmKind(),
                    plan.format().map(format -> format.architecture().word()),
                    watched,
                    plan.trust().map(TrustFolder::new),
                    plan.web(),
                    plan.ssh().map(login -> new RemoteLogin(login, state.resolve("ssh_host_key"))));
        }
    }

    private static void watch(
            Map<String, Object> configuration, RunFolder folder, List<Path> watched)
            throws IOException {
        configuration.put(
                "felix.fileinstall.dir",
                String.join(",", watched.stream().map(Path::toString).toList()));
        configuration.put("felix.fileinstall.poll", "500");
        configuration.put("felix.fileinstall.noInitialDelay", "true");
        configuration.put("felix.fileinstall.enableConfigSave", "false");
        configuration.put("felix.fileinstall.tmpdir", folder.make("watched").toString());
        configuration.put("felix.fileinstall.log.level", "2");
        configuration.put("felix.fileinstall.log.default", "jul");
    }

    /**
     * Starts the first list. The plan, if there is one, is offered to the machine before any bundle
     * starts.
     *
     * @throws StartException if a bundle of the list cannot be installed, resolved or started
     */
    public void start(Optional<Map<String, Object>> plan, boolean watching) throws StartException {
        try {
            framework.init();
            if (guard.isPresent() && !guard.get().stands()) {
                throw new StartException(
                        List.of("what --trust admits cannot be guarded; the log says why"), null);
            }
            BundleContext context = framework.getBundleContext();
            context.addFrameworkListener(this::heard);
            plan.ifPresent(map -> offer(context, map));
            List<Bundle> bundles = new ArrayList<>();
            for (Group group : List.of(Group.CONFIG, Group.BOARD, Group.ENGINE, Group.DEVICE)) {
                bundles.addAll(install(group));
            }
            if (watching) {
                bundles.addAll(install(Group.WATCH));
            }
            resolve(bundles);
            for (Bundle bundle : bundles) {
                bundle.start(Bundle.START_ACTIVATION_POLICY);
            }
            CompletableFuture<Void> started = new CompletableFuture<>();
            context.addFrameworkListener(
                    event -> {
                        if (event.getType() == FrameworkEvent.STARTED) {
                            started.complete(null);
                        }
                    });
            framework.start();
            started.join();
            LOG.log(Level.INFO, "the framework started: " + bundles.size() + " bundles");
        } catch (BundleException | IOException e) {
            throw new StartException(List.of(sentence(e)), e);
        }
        synchronized (startFailures) {
            if (!startFailures.isEmpty()) {
                throw new StartException(startFailures, null);
            }
        }
    }

    private void offer(BundleContext context, Map<String, Object> plan) {
        context.registerService(Map.class, plan, property("org.backplane.plan"));
        context.registerService(CompletableFuture.class, end, property("org.backplane.end"));
        context.registerService(
                Runnable.class, this::machineRuns, property("org.backplane.running"));
        Consumer<String> chosen = line -> System.err.println("backplane: " + line);
        context.registerService(Consumer.class, chosen, property("org.backplane.engine"));
        Consumer<Consumer<int[]>> sizes = LocalTerminal::watchSizeOfThisProcess;
        context.registerService(Consumer.class, sizes, property("org.backplane.terminal"));
        web.ifPresent(page -> page.offer(context, this::pageOpened));
        ssh.ifPresent(login -> login.offer(context, this::loginOpened));
    }

    /** On the console, once: the log is kept longer than the token is to live. */
    private void pageOpened(String address) {
        pageOpen = true;
        System.err.println("backplane: the web page is at " + address);
    }

    private void loginOpened(String where) {
        System.err.println("backplane: log in by SSH at " + where);
    }

    private void machineRuns() {
        if (secondListAsked.compareAndSet(false, true)) {
            Thread second = new Thread(this::startSecondList, "second-list");
            second.setDaemon(true);
            second.start();
        }
    }

    private static Dictionary<String, Object> property(String name) {
        Dictionary<String, Object> properties = new Hashtable<>();
        properties.put(name, true);
        return properties;
    }

    private List<Bundle> install(Group group) throws BundleException, IOException {
        List<Bundle> bundles = new ArrayList<>();
        for (Path jar : distribution.bundles(group)) {
            Bundle bundle = framework.getBundleContext().installBundle(jar.toUri().toString());
            bundle.adapt(BundleStartLevel.class).setStartLevel(group.startLevel());
            bundles.add(bundle);
        }
        return bundles;
    }

    private void resolve(Collection<Bundle> bundles) throws StartException {
        List<String> refusals =
                guard.stream()
                        .flatMap(these -> bundles.stream().map(these::refusal))
                        .flatMap(Optional::stream)
                        .toList();
        if (!refusals.isEmpty()) {
            throw new StartException(refusals, null);
        }
        if (!framework.adapt(FrameworkWiring.class).resolveBundles(bundles)) {
            List<Bundle> all = List.of(framework.getBundleContext().getBundles());
            throw new StartException(new Unresolved(all).sentences(), null);
        }
    }

    /** The shell is worth having, but a machine runs without it: failures are told, not fatal. */
    public void startSecondList() {
        try {
            startMore("shell", List.of(Group.SECOND));
            web.map(WebPage::warning)
                    .filter(warning -> !warning.isEmpty())
                    .ifPresent(warning -> System.err.println("backplane: " + warning));
            if (web.isPresent()) {
                startMore("web page", List.of(Group.WEB, Group.WEB_SERVER));
                if (!pageOpen) {
                    System.err.println("backplane: the web page did not open; the log says why");
                }
            }
            if (ssh.isPresent()) {
                startMore("login by SSH", List.of(Group.REMOTE));
            }
        } finally {
            secondList.complete(null);
        }
    }

    private void startMore(String what, List<Group> groups) {
        try {
            List<Bundle> bundles = new ArrayList<>();
            for (Group group : groups) {
                bundles.addAll(install(group));
            }
            resolve(bundles);
            for (Bundle bundle : bundles) {
                bundle.start(Bundle.START_ACTIVATION_POLICY);
            }
            LOG.log(Level.INFO, "the {0} started: {1} bundles", what, bundles.size());
        } catch (BundleException | IOException e) {
            unavailable(what, sentence(e), e);
        } catch (StartException e) {
            unavailable(what, e.getMessage(), e);
        }
    }

    private void unavailable(String what, String reason, Exception cause) {
        if (end.isDone()) {
            // The guest was done before it: the framework goes away under its bundles.
            LOG.log(Level.DEBUG, "the machine ended before the " + what + " started", cause);
            return;
        }
        String sentence = "the " + what + " is not available: " + reason;
        LOG.log(Level.WARNING, sentence, cause);
        System.err.println("backplane: " + sentence);
    }

    private void heard(FrameworkEvent event) {
        if (event.getType() != FrameworkEvent.ERROR) {
            return;
        }
        Throwable thrown = event.getThrowable();
        String sentence = event.getBundle().getSymbolicName() + ": " + sentence(thrown);
        LOG.log(Level.ERROR, sentence, thrown);
        synchronized (startFailures) {
            startFailures.add(sentence);
        }
    }

    private static String sentence(Throwable thrown) {
        Throwable deepest = thrown;
        while (deepest instanceof BundleException && deepest.getCause() != null) {
            deepest = deepest.getCause();
        }
        String message = deepest.getMessage();
        return deepest instanceof IOException || deepest instanceof BundleException
                ? message + remedy(message)
                : deepest.getClass().getSimpleName() + (message == null ? "" : ": " + message);
    }

    /** The JDK has no type for it, only strerror(3)'s words. */
    private static String remedy(String message) {
        return message != null && message.endsWith("Too many open files")
                ? "; raise the limit with 'ulimit -n', or LimitNOFILE= of a service"
                : "";
    }

    /**
     * The engines that the first list started and how fit they are here, as the machine tells it:
     * docs/launcher.md. Empty if nothing tells it.
     */
    @SuppressWarnings("unchecked")
    public List<Map<String, String>> engines() {
        BundleContext context = framework.getBundleContext();
        try {
            return context
                    .getServiceReferences(Supplier.class, "(org.backplane.engines=true)")
                    .stream()
                    .findFirst()
                    .map(context::getService)
                    .map(engines -> (List<Map<String, String>>) engines.get())
                    .orElse(List.of());
        } catch (InvalidSyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Does what the bundle {@code vfio} offers: docs/launcher.md. Empty if there is no such bundle.
     *
     * @throws IOException with a sentence if it cannot be done
     */
    @SuppressWarnings("unchecked")
    public List<Map<String, String>> vfio(List<String> words) throws IOException {
        BundleContext context = framework.getBundleContext();
        try {
            return context
                    .getServiceReferences(Function.class, "(org.backplane.vfio=true)")
                    .stream()
                    .findFirst()
                    .map(context::getService)
                    .map(commands -> (List<Map<String, String>>) commands.apply(words))
                    .orElse(List.of());
        } catch (InvalidSyntaxException e) {
            throw new IllegalStateException(e);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    /** Completed by the machine when it ends: docs/launcher.md. */
    public CompletableFuture<Object> end() {
        return end;
    }

    /** Completed when the second list was started, or could not be, which the log tells. */
    public CompletableFuture<Void> secondList() {
        return secondList;
    }

    /** What --trust kept out so far, a sentence for each. */
    public List<String> refusals() {
        return guard.map(TrustGuard::refusals).orElse(List.of());
    }

    /** The bundles there are and their states, by id. */
    public List<Bundle> bundles() {
        return List.of(framework.getBundleContext().getBundles());
    }

    /**
     * Stops all bundles in the reverse order of their start and waits, bounded.
     *
     * @return whether the framework stopped in time
     */
    public boolean stop(long timeout, TimeUnit unit) throws InterruptedException {
        try {
            framework.stop();
        } catch (BundleException e) {
            LOG.log(Level.ERROR, "the framework cannot be stopped", e);
            return false;
        }
        return framework.waitForStop(unit.toMillis(timeout)).getType()
                != FrameworkEvent.WAIT_TIMEDOUT;
    }
}
