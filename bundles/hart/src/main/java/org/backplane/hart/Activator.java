package org.backplane.hart;

import java.util.Map;
import org.backplane.hypervisor.Hypervisor;
import org.backplane.hypervisor.HypervisorException;
import org.osgi.annotation.bundle.Header;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;

/** Offers the engine as a service, named as {@code --engine} names it. */
@Header(name = Constants.BUNDLE_ACTIVATOR, value = "${@class}")
public final class Activator implements BundleActivator {
    private static final System.Logger LOG = System.getLogger(Activator.class.getName());

    /** Framework property: what the guest is for, if that is known. */
    private static final String ARCHITECTURE = "org.backplane.architecture";

    private Thread rehearsal;

    @Override
    public void start(BundleContext context) {
        HartHypervisor hypervisor = new HartHypervisor();
        rehearsal = new Thread(() -> rehearse(hypervisor), "hart rehearsal");
        rehearsal.setDaemon(true);
        String guest = context.getProperty(ARCHITECTURE);
        // A guest of another engine starts sooner without.
        if (guest == null || guest.equals(hypervisor.architecture())) {
            rehearsal.start();
        }
        context.registerService(
                Hypervisor.class,
                hypervisor,
                FrameworkUtil.asDictionary(Map.of("name", hypervisor.name())));
    }

    private static void rehearse(HartHypervisor hypervisor) {
        try {
            hypervisor.rehearse();
        } catch (HypervisorException e) {
            LOG.log(System.Logger.Level.WARNING, "the first guest will start slowly", e);
        }
    }

    /** The framework takes the service back. */
    @Override
    public void stop(BundleContext context) throws InterruptedException {
        rehearsal.join();
    }
}
