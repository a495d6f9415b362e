package org.backplane.machine.deploy;

import java.io.IOException;
import java.io.InputStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import org.backplane.machine.MachineException;
import org.backplane.machine.processor.MachineThread;
import org.backplane.machine.slot.ControlThread;
import org.backplane.machine.slot.Factories.Code;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.wiring.BundleWiring;

/**
 * Installs and removes device bundles. Its thread is the only one of the machine that calls the
 * framework's life-cycle operations, and it never waits for a slot.
 */
public final class Deployer implements AutoCloseable {
    private static final Logger LOG = System.getLogger(Deployer.class.getName());

    /** Locations of bundles that this deployer installed, and may uninstall. */
    private static final String LOCATION = "backplane-store:";

    private final BundleContext context;
    private final Path store;
    private final Predicate<Bundle> used;
    private final Duration startBound;
    private final ControlThread thread = new ControlThread("deployer");
    private final List<Retired> retired = new ArrayList<>();
    private final StoredCode storedCode;
    private final ExecutorService copies =
            Executors.newSingleThreadExecutor(work -> new MachineThread("deployer/copies", work));

    /** Bundles that were deployed and not released; the deployer's thread's. */
    private final List<Bundle> claimed = new ArrayList<>();

    /** When each location was installed; a later change came by an update in place. */
    private final Map<String, Long> installed = new HashMap<>();

    private int returns;

    /**
     * Code that was withdrawn; the bundle itself may run on with other code, or the same. It is
     * only looked at: who asks seldom must not keep every bundle there was.
     */
    private record Retired(
            String name, WeakReference<Bundle> bundle, WeakReference<ClassLoader> loader) {
        static Retired of(Bundle bundle, ClassLoader loader) {
            return new Retired(
                    "%s %s (bundle %d)"
                            .formatted(
                                    bundle.getSymbolicName(),
                                    bundle.getVersion(),
                                    bundle.getBundleId()),
                    new WeakReference<>(bundle),
                    new WeakReference<>(loader));
        }

        boolean gone() {
            Bundle now = bundle.get();
            BundleWiring wiring = now == null ? null : now.adapt(BundleWiring.class);
            return loader.refersTo(null)
                    || (wiring != null && loader.refersTo(wiring.getClassLoader()));
        }
    }

    /**
     * @param store folder for jars, made if absent
     * @param used whether a slot has a device of the bundle, or may go back to it
     * @param startBound on an activator: it registers a factory, and what takes longer hangs
     */
    public Deployer(
            BundleContext context, Path store, Predicate<Bundle> used, Duration startBound) {
        this.startBound = startBound;
        this.context = context;
        this.used = used;
        this.store = store;
        storedCode = new StoredCode(store);
    }

    /**
     * Copies a jar into the store under its SHA-256, which is a build's identity, installs it from
     * there and starts it. A build that is installed already is the same bundle. Until {@link
     * #release} it stays.
     */
    public Bundle deploy(Path jar) throws MachineException {
        return thread.call("deploy", () -> doDeploy(jar));
    }

    private Bundle doDeploy(Path jar) throws MachineException {
        refuseOtherFiles(jar);
        Bundle bundle = null;
        try {
            Path stored = store(jar);
            String location = LOCATION + stored.getFileName();
            bundle = context.getBundle(location);
            if (bundle != null
                    && !Long.valueOf(bundle.getLastModified()).equals(installed.get(location))) {
                returns++;
                location += "#" + returns;
                bundle = null;
            }
            if (bundle == null) {
                bundle = install(location, stored);
            }
            start(bundle);
            claimed.add(bundle);
            return bundle;
        } catch (TimeoutException e) {
            // It is uninstalled when its activator returns, if ever: before, that would wait too.
            throw new MachineException(
                    "The jar '%s' cannot be started: its activator did not return within %s s; the thread '%s' stays in it."
                            .formatted(jar, startBound.toMillis() / 1000.0, starter(bundle)),
                    e);
        } catch (IOException e) {
            throw new MachineException(
                    "The jar '%s' cannot be read: %s.".formatted(jar, e.getMessage()), e);
        } catch (BundleException | RuntimeException e) {
            if (bundle != null) {
                uninstall(bundle);
            }
            throw new MachineException(
                    "The jar '%s' cannot be started: %s.".formatted(jar, reason(e)), e);
        }
    }

    private static String reason(Exception e) {
        if (e instanceof BundleException refusal
                && refusal.getType() == BundleException.REJECTED_BY_HOOK
                && refusal.getCause() != null) {
            // Who keeps it out says why in a sentence: docs/launcher.md.
            return String.valueOf(refusal.getCause().getMessage())
                    .replaceFirst("^The bundle", "the bundle")
                    .replaceAll("\\.+$", "");
        }
        String told = String.valueOf(e.getMessage()).replaceAll("\\.+$", "");
        return e.getCause() == null ? told : "%s: %s".formatted(told, e.getCause());
    }

    private static String starter(Bundle bundle) {
        return "deployer/start of bundle " + bundle.getBundleId();
    }

    /** Starts a bundle on a thread of its own: an activator that hangs does not keep this one. */
    private void start(Bundle bundle) throws BundleException, TimeoutException {
        var late = new AtomicBoolean();
        var task =
                new FutureTask<Void>(
                        () -> {
                            bundle.start(Bundle.START_TRANSIENT);
                            if (late.get()) {
                                release(bundle);
                            }
                            return null;
                        });
        new MachineThread(starter(bundle), task).start();
        try {
            task.get(startBound.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof BundleException refusal) {
                throw refusal;
            }
            throw new BundleException("its start failed", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BundleException("its start was interrupted", e);
        } finally {
            late.set(!task.isDone());
        }
    }

    private Bundle install(String location, Path jar) throws IOException, BundleException {
        try (InputStream content = Files.newInputStream(jar)) {
            Bundle bundle = context.installBundle(location, content);
            installed.put(location, bundle.getLastModified());
            return bundle;
        }
    }

    /** Ends what {@link #deploy} began: a bundle that nobody came to use is uninstalled. */
    public void release(Bundle bundle) {
        thread.post(
                "release",
                () -> {
                    claimed.remove(bundle);
                    if (!used.test(bundle)) {
                        discardNow(bundle);
                    }
                });
    }

    /** Begins to copy the code of a bundle as it is now. */
    public Future<Path> copy(Bundle bundle) {
        return copies.submit(() -> storedCode.copy(bundle));
    }

    /** Installs and starts a copy of code that an update took away. */
    public void comeBack(Code gone) {
        thread.post(
                "come back",
                () -> {
                    try {
                        Path copy = gone.copy().get();
                        returns++;
                        start(install(LOCATION + "return-" + returns, copy));
                        Files.deleteIfExists(copy);
                        if (!used.test(gone.bundle())) {
                            // The copy has its place.
                            uninstall(gone.bundle());
                        }
                    } catch (IOException
                            | BundleException
                            | TimeoutException
                            | ExecutionException e) {
                        throw new MachineException(
                                "%s cannot come back: %s.".formatted(gone, e), e);
                    }
                });
    }

    private static void refuseOtherFiles(Path jar) throws MachineException {
        if (!Files.isRegularFile(jar)) {
            throw new MachineException("There is no jar '%s'.".formatted(jar));
        }
        try (var content = new JarFile(jar.toFile())) {
            Manifest manifest = content.getManifest();
            if (manifest == null
                    || manifest.getMainAttributes().getValue(Constants.BUNDLE_SYMBOLICNAME)
                            == null) {
                throw new MachineException(
                        "'%s' is no bundle: its manifest names no Bundle-SymbolicName."
                                .formatted(jar));
            }
        } catch (IOException e) {
            throw new MachineException("'%s' is no jar: %s.".formatted(jar, e.getMessage()), e);
        }
    }

    private Path store(Path jar) throws IOException {
        Files.createDirectories(store);
        Path copy = Files.createTempFile(store, "incoming", ".jar");
        try {
            Files.copy(jar, copy, StandardCopyOption.REPLACE_EXISTING);
            Path stored = store.resolve(digest(copy) + ".jar");
            return Files.move(copy, stored, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(copy);
        }
    }

    private static String digest(Path file) throws IOException {
        try {
            return HexFormat.of()
                    .formatHex(
                            MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /** Uninstalls a bundle whose code was replaced, unless something uses it after all. */
    public void retire(Bundle bundle) {
        thread.post(
                "retire",
                () -> {
                    if (!claimed.contains(bundle) && !used.test(bundle)) {
                        uninstall(bundle);
                    }
                });
    }

    /** As {@link #retire}, of a bundle whose code failed: it goes though it was deployed. */
    public void reject(Bundle bundle) {
        thread.post(
                "reject",
                () -> {
                    claimed.removeIf(bundle::equals);
                    if (!used.test(bundle)) {
                        uninstall(bundle);
                    }
                });
    }

    /** Uninstalls a bundle that came to nothing, if this deployer brought it. */
    private void discardNow(Bundle bundle) {
        if (bundle.getLocation().startsWith(LOCATION) && !claimed.contains(bundle)) {
            uninstall(bundle);
        }
    }

    private void uninstall(Bundle bundle) {
        if (bundle.getState() == Bundle.UNINSTALLED) {
            // A swap and the folder may both have asked for it.
            return;
        }
        try {
            bundle.uninstall();
            String location = bundle.getLocation();
            if (installed.remove(location) != null) {
                Files.deleteIfExists(store.resolve(location.substring(LOCATION.length())));
            }
        } catch (BundleException | IOException | IllegalStateException e) {
            LOG.log(Level.WARNING, () -> "uninstalling " + bundle, e);
        }
    }

    /** Deletes the copy of code that nothing can come back to. */
    public void forget(Code code) {
        copies.execute(
                () -> {
                    try {
                        Files.deleteIfExists(code.copy().get());
                    } catch (IOException | ExecutionException | InterruptedException e) {
                        LOG.log(Level.DEBUG, () -> "the copy of %s: %s".formatted(code, e));
                    }
                });
    }

    /** Remembers the class loader of code that no slot runs any more; once, whatever it offered. */
    public void withdrawn(Bundle bundle, ClassLoader loader) {
        synchronized (retired) {
            retired.removeIf(entry -> entry.loader.refersTo(null));
            if (retired.stream().noneMatch(entry -> entry.loader.refersTo(loader))) {
                retired.add(Retired.of(bundle, loader));
            }
        }
    }

    /** Retired code whose class loader has not been collected yet. */
    public List<String> stillLoaded() {
        synchronized (retired) {
            retired.removeIf(Retired::gone);
            return retired.stream().map(Retired::name).toList();
        }
    }

    @Override
    public void close() {
        copies.shutdown();
        thread.close();
    }
}
