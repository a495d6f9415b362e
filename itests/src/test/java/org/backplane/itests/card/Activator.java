package org.backplane.itests.card;

import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.backplane.device.DeviceFactory;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.InvalidSyntaxException;

/** Starts the card's bundle; its manifest says how the card behaves. */
public final class Activator implements BundleActivator {
    @Override
    public void start(BundleContext context) throws InvalidSyntaxException {
        Bundle bundle = context.getBundle();
        Behaviour behaviour = Behaviour.valueOf(bundle.getHeaders().get(Behaviour.HEADER));
        var conduct =
                new Conduct(
                        behaviour,
                        bundle.getVersion().getMajor(),
                        behaviour.hangs() ? hold(context) : new CountDownLatch(0));
        conduct.hangIf(Behaviour.HANGS_IN_THE_ACTIVATOR);
        if (conduct.is(Behaviour.DOES_NOT_START)) {
            throw new IllegalStateException("thrown in the activator");
        }
        offer(context, "card", slot -> Card.in(slot, conduct));
        offer(context, "virtio-card", slot -> new VirtioCard(conduct));
    }

    private static void offer(BundleContext context, String kind, DeviceFactory factory) {
        context.registerService(
                DeviceFactory.class,
                factory,
                FrameworkUtil.asDictionary(Map.of(DeviceFactory.KIND, kind)));
    }

    /**
     * Only for those that need it: Felix 7 remembers a bundle that used a service for as long as
     * that is registered, uninstalled or not.
     */
    private static CountDownLatch hold(BundleContext context) throws InvalidSyntaxException {
        return context
                .getServiceReferences(CountDownLatch.class, "(" + Behaviour.HOLD + "=true)")
                .stream()
                .findFirst()
                .map(context::getService)
                .orElseGet(() -> new CountDownLatch(1));
    }

    @Override
    public void stop(BundleContext context) {
        // The framework takes the services back.
    }
}
