package org.backplane.launcher.trust;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.function.Function;
import org.apache.felix.framework.BundleRevisionImpl;
import org.apache.felix.framework.cache.JarContent;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleEvent;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceRegistration;
import org.osgi.framework.SynchronousBundleListener;
import org.osgi.framework.hooks.resolver.ResolverHook;
import org.osgi.framework.hooks.resolver.ResolverHookFactory;
import org.osgi.framework.wiring.BundleCapability;
import org.osgi.framework.wiring.BundleRequirement;
import org.osgi.framework.wiring.BundleRevision;

/**
 * Keeps bundles that are not admitted from resolving, whichever way they came: without that no
 * class of theirs can be loaded (OSGi Core 8, 53 Resolver Hook Service). An activator of the system
 * bundle, so that it is there before any bundle.
 *
 * <p>What is judged is the framework's own copy of a revision, which its class loader reads.
 */
public final class TrustGuard implements BundleActivator {
    /** Property of the service that tells bundles why one of them is refused. */
    static final String REASONS = "org.backplane.trust";

    private static final Logger LOG = System.getLogger(TrustGuard.class.getName());

    private static final int MOST_REFUSALS = 10;

    private final JarJudge judge;
    private final Path storage;

    /** By revision, for the next update brings another one. */
    private final Map<BundleRevision, Optional<String>> verdicts = new WeakHashMap<>();

    /** The latest sentences; each bundle's once. */
    private final Deque<String> refusals = new ArrayDeque<>();

    private volatile ServiceRegistration<ResolverHookFactory> registration;

    TrustGuard(JarJudge judge, Path storage) {
        this.judge = judge;
        this.storage = storage;
    }

    /**
     * A guard for one framework.
     *
     * @param digests list of the distribution's jars, made when it was built
     * @param storage the framework's cache of bundles
     * @throws IOException with a sentence if the list cannot be read
     */
    public static TrustGuard of(TrustFolder folder, Path digests, Path storage) throws IOException {
        Map<String, String> distribution;
        try {
            distribution = DigestList.read(digests);
        } catch (IOException e) {
            throw new IOException(
                    "the list of the distribution's own bundles, "
                            + digests
                            + ", cannot be read, and --trust admits nothing without; build the"
                            + " distribution anew",
                    e);
        }
        return new TrustGuard(new JarJudge(folder, distribution, InstantSource.system()), storage);
    }

    @Override
    public void start(BundleContext context) {
        registration = context.registerService(ResolverHookFactory.class, this::begin, null);
        Function<Bundle, Optional<String>> reasons = this::refusal;
        context.registerService(
                Function.class, reasons, FrameworkUtil.asDictionary(Map.of(REASONS, true)));
        context.addBundleListener(
                (SynchronousBundleListener)
                        event -> {
                            if ((event.getType() & (BundleEvent.INSTALLED | BundleEvent.UPDATED))
                                    != 0) {
                                refusal(event.getBundle());
                            }
                        });
    }

    @Override
    public void stop(BundleContext context) {
        // The framework, which ends, takes service and listener with it.
        registration = null;
    }

    /** Whether it was started: a framework only logs that an activator of its own failed. */
    public boolean stands() {
        return registration != null;
    }

    /** Why a bundle is refused as it is now, as a sentence; empty if it is admitted. */
    public Optional<String> refusal(Bundle bundle) {
        return refusal(bundle.adapt(BundleRevision.class));
    }

    private synchronized Optional<String> refusal(BundleRevision revision) {
        if (revision == null || revision.getBundle().getBundleId() == Constants.SYSTEM_BUNDLE_ID) {
            return Optional.empty();
        }
        Optional<String> known = verdicts.get(revision);
        if (known != null && known.isEmpty()) {
            return known;
        }
        Optional<String> now = judge(revision);
        if (!now.equals(known)) {
            verdicts.put(revision, now);
            now.ifPresent(this::tell);
        }
        return now;
    }

    private void tell(String sentence) {
        LOG.log(Level.WARNING, sentence);
        refusals.remove(sentence);
        refusals.addLast(sentence);
        if (refusals.size() > MOST_REFUSALS) {
            refusals.removeFirst();
        }
    }

    /** What was refused so far, the latest last; not more than a screen holds. */
    public synchronized List<String> refusals() {
        return List.copyOf(refusals);
    }

    private Optional<String> judge(BundleRevision revision) {
        return reason(revision)
                .map(
                        reason ->
                                "The bundle %s %s is refused: %s."
                                        .formatted(
                                                revision.getSymbolicName(),
                                                revision.getVersion(),
                                                reason));
    }

    private Optional<String> reason(BundleRevision revision) {
        if (!(revision instanceof BundleRevisionImpl felix
                && felix.getContent() instanceof JarContent content)) {
            return Optional.of("it is not installed from a jar");
        }
        Path jar = content.getFile().toPath().toAbsolutePath().normalize();
        if (!jar.startsWith(storage)) {
            return Optional.of(
                    "it is installed by reference, and its file can change after it was looked at;"
                            + " install it without 'reference:'");
        }
        return judge.refusal(jar);
    }

    /**
     * Begins a resolving.
     *
     * @param triggers what is to be resolved; more may be pulled in
     * @throws RefusedBundleException if nothing of it may be
     */
    private ResolverHook begin(Collection<BundleRevision> triggers) {
        Map<BundleRevision, String> refused = new LinkedHashMap<>();
        for (BundleRevision trigger : triggers) {
            refusal(trigger).ifPresent(sentence -> refused.put(trigger, sentence));
        }
        if (!refused.isEmpty() && refused.size() == triggers.size()) {
            throw new RefusedBundleException(String.join(" ", refused.values()));
        }
        return new Hook(refused.keySet());
    }

    private final class Hook implements ResolverHook {
        private final Set<BundleRevision> refusedTriggers;

        Hook(Set<BundleRevision> refusedTriggers) {
            this.refusedTriggers = refusedTriggers;
        }

        /**
         * Once anything is removed here, Felix 7.0.5 gives nobody a wire to a bundle that resolved
         * earlier: one refused bundle would keep all others from resolving. So only what was asked
         * for goes; what could be pulled in beside it is kept from that by its wires.
         */
        @Override
        public void filterResolvable(Collection<BundleRevision> candidates) {
            if (!refusedTriggers.isEmpty()) {
                candidates.removeAll(refusedTriggers);
            }
        }

        /** Nobody gets a wire to a refused bundle, nor it to anybody: a fragment to its host. */
        @Override
        public void filterMatches(
                BundleRequirement requirement, Collection<BundleCapability> candidates) {
            if (refusal(requirement.getRevision()).isPresent()) {
                candidates.clear();
            } else {
                candidates.removeIf(candidate -> refusal(candidate.getRevision()).isPresent());
            }
        }

        /** A refused bundle does not stand in the way of an admitted one of the same name. */
        @Override
        public void filterSingletonCollisions(
                BundleCapability singleton, Collection<BundleCapability> collisions) {
            boolean refused = refusal(singleton.getRevision()).isPresent();
            collisions.removeIf(other -> refusal(other.getRevision()).isPresent() != refused);
        }

        @Override
        public void end() {
            // Verdicts outlive a resolving.
        }
    }
}
