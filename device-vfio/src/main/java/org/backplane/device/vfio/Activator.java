package org.backplane.device.vfio;

import java.util.Map;
import org.backplane.device.DeviceFactory;
import org.osgi.annotation.bundle.Header;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;

/** Registers the factory; the framework takes it back when the bundle stops. */
@Header(name = Constants.BUNDLE_ACTIVATOR, value = "${@class}")
public final class Activator implements BundleActivator {
    @Override
    public void start(BundleContext context) {
        context.registerService(
                DeviceFactory.class,
                new VfioFactory(new HostTransports()),
                FrameworkUtil.asDictionary(Map.of(DeviceFactory.KIND, VfioFactory.KIND)));
    }

    @Override
    public void stop(BundleContext context) {
        // Nothing is held besides the service.
    }
}
