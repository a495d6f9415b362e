package org.backplane.chipset;

import java.util.Map;
import org.backplane.device.DeviceFactory;
import org.osgi.annotation.bundle.Header;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;

/** Registers one factory a kind; the framework takes them back when the bundle stops. */
@Header(name = Constants.BUNDLE_ACTIVATOR, value = "${@class}")
public final class Activator implements BundleActivator {
    @Override
    public void start(BundleContext context) {
        register(context, Ns16550aFactory.KIND, new Ns16550aFactory());
        register(context, GoldfishRtcFactory.KIND, new GoldfishRtcFactory());
        register(context, PowerSwitchFactory.KIND, new PowerSwitchFactory());
        register(context, CmosRtcFactory.KIND, new CmosRtcFactory());
        register(context, KeyboardControllerFactory.KIND, new KeyboardControllerFactory());
        register(context, PowerManagementFactory.KIND, new PowerManagementFactory());
        register(context, DebugExitFactory.KIND, new DebugExitFactory());
    }

    @Override
    public void stop(BundleContext context) {
        // Nothing is held besides the services.
    }

    private static void register(BundleContext context, String kind, DeviceFactory factory) {
        context.registerService(
                DeviceFactory.class,
                factory,
                FrameworkUtil.asDictionary(Map.of(DeviceFactory.KIND, kind)));
    }
}
