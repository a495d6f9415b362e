package org.backplane.itests.card;

import java.util.Map;
import org.backplane.device.DeviceFactory;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;

/** Starts the card's bundle; its manifest says how the card behaves. */
public final class Activator implements BundleActivator {
    @Override
    public void start(BundleContext context) {
        Bundle bundle = context.getBundle();
        context.registerService(
                DeviceFactory.class,
                new CardFactory(
                        Behaviour.valueOf(bundle.getHeaders().get(Behaviour.HEADER)),
                        bundle.getVersion().getMajor()),
                FrameworkUtil.asDictionary(Map.of(DeviceFactory.KIND, "card")));
    }

    @Override
    public void stop(BundleContext context) {
        // The framework takes the service back.
    }
}
