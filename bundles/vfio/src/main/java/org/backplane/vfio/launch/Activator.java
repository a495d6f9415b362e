package org.backplane.vfio.launch;

import java.util.Map;
import java.util.function.Function;
import org.backplane.vfio.kernel.HostCommands;
import org.osgi.annotation.bundle.Header;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;

/** Offers the launcher, which shares no class with bundles, what it asks of the host's devices. */
@Header(name = Constants.BUNDLE_ACTIVATOR, value = "${@class}")
public final class Activator implements BundleActivator {
    @Override
    public void start(BundleContext context) {
        context.registerService(
                Function.class,
                HostCommands.ofThisHost(),
                FrameworkUtil.asDictionary(Map.of("org.backplane.vfio", true)));
    }

    /** The framework takes the service back. */
    @Override
    public void stop(BundleContext context) {}
}
