package org.backplane.hart;

import java.util.Map;
import org.backplane.hypervisor.Hypervisor;
import org.osgi.annotation.bundle.Header;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;

/** Offers the engine as a service, named as {@code --engine} names it. */
@Header(name = Constants.BUNDLE_ACTIVATOR, value = "${@class}")
public final class Activator implements BundleActivator {
    @Override
    public void start(BundleContext context) {
        HartHypervisor hypervisor = new HartHypervisor();
        context.registerService(
                Hypervisor.class,
                hypervisor,
                FrameworkUtil.asDictionary(Map.of("name", hypervisor.name())));
    }

    /** The framework takes the service back. */
    @Override
    public void stop(BundleContext context) {}
}
