package org.backplane.machine.slot;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.function.Predicate;
import org.backplane.device.DeviceFactory;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.Version;
import org.osgi.util.tracker.ServiceTracker;
import org.osgi.util.tracker.ServiceTrackerCustomizer;

/** The device factories that bundles offer now. Thread-safe. */
public final class Factories implements AutoCloseable {
    /**
     * The code of a bundle at one time; the bundle may have other code later.
     *
     * @param copy of the code, to come back to
     */
    public record Code(Bundle bundle, String name, Version version, Future<Path> copy) {
        Code(Bundle bundle, Future<Path> copy) {
            this(bundle, bundle.getSymbolicName(), bundle.getVersion(), copy);
        }

        @Override
        public String toString() {
            return "%s %s (bundle %d)".formatted(name, version, bundle.getBundleId());
        }
    }

    /**
     * One factory. It holds the code's class loader: what outlives the code keeps its {@link Code}.
     *
     * @param ranking service.ranking
     */
    public record Offer(String kind, DeviceFactory factory, int ranking, Code code) {
        private static final Comparator<Offer> PREFERENCE =
                Comparator.comparingInt(Offer::ranking)
                        .thenComparing(offer -> offer.code.version)
                        .thenComparingLong(offer -> offer.bundle().getBundleId());

        public Bundle bundle() {
            return code.bundle;
        }

        /** Bundle and version: what it is in every process. */
        String identity() {
            return "%s %s".formatted(code.bundle.getSymbolicName(), code.version);
        }

        @Override
        public String toString() {
            return code.toString();
        }
    }

    /** Told of offers on the thread that registers or withdraws them. */
    public interface Listener {
        void offered(Offer offer);

        /** Returns when nothing of the offer is in use; the factory still works until then. */
        void withdrawn(Offer offer);
    }

    private final List<Offer> offers = new ArrayList<>();
    private final Listener listener;
    private final Function<Bundle, Future<Path>> copies;
    private final ServiceTracker<DeviceFactory, Offer> tracker;

    /**
     * @param copies begins to copy a bundle's code
     */
    public Factories(
            BundleContext context, Listener listener, Function<Bundle, Future<Path>> copies) {
        this.listener = listener;
        this.copies = copies;
        tracker = new ServiceTracker<>(context, DeviceFactory.class, new Customizer(context));
    }

    public void open() {
        tracker.open();
    }

    public synchronized List<Offer> offers() {
        return List.copyOf(offers);
    }

    /** The offer that an empty slot takes, among those it can take. */
    public Optional<Offer> best(Predicate<Offer> taken) {
        return offers().stream().filter(taken).max(Offer.PREFERENCE);
    }

    @Override
    public void close() {
        tracker.close();
    }

    private final class Customizer implements ServiceTrackerCustomizer<DeviceFactory, Offer> {
        private final BundleContext context;

        Customizer(BundleContext context) {
            this.context = context;
        }

        @Override
        public Offer addingService(ServiceReference<DeviceFactory> reference) {
            DeviceFactory factory = context.getService(reference);
            if (factory == null
                    || !(reference.getProperty(DeviceFactory.KIND) instanceof String kind)) {
                return null;
            }
            int ranking =
                    reference.getProperty(Constants.SERVICE_RANKING) instanceof Integer given
                            ? given
                            : 0;
            Bundle bundle = reference.getBundle();
            var offer = new Offer(kind, factory, ranking, new Code(bundle, copies.apply(bundle)));
            synchronized (Factories.this) {
                offers.add(offer);
            }
            listener.offered(offer);
            return offer;
        }

        @Override
        public void modifiedService(ServiceReference<DeviceFactory> reference, Offer offer) {
            // Properties are read once: a slot that runs changes by a swap only.
        }

        @Override
        public void removedService(ServiceReference<DeviceFactory> reference, Offer offer) {
            synchronized (Factories.this) {
                offers.remove(offer);
            }
            listener.withdrawn(offer);
            context.ungetService(reference);
        }
    }
}
