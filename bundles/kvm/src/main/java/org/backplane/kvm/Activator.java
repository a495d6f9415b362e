package org.backplane.kvm;

import java.nio.file.Path;
import java.util.Map;
import org.backplane.hypervisor.Hypervisor;
import org.osgi.annotation.bundle.Header;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;

/**
 * Offers the engine as a service, named as {@code --engine} names it; also where there is no KVM,
 * for it can say what is missing.
 */
@Header(name = Constants.BUNDLE_ACTIVATOR, value = "${@class}")
public final class Activator implements BundleActivator {
    /** Framework property: what {@code /dev/kvm} is, {@code hardware} or {@code pvm}. */
    static final String KIND = "org.backplane.kvm.kind";

    @Override
    public void start(BundleContext context) {
        KvmHypervisor hypervisor =
                new KvmHypervisor(Path.of("/dev/kvm"), context.getProperty(KIND));
        context.registerService(
                Hypervisor.class,
                hypervisor,
                FrameworkUtil.asDictionary(Map.of("name", hypervisor.name())));
    }

    /** The framework takes the service back. */
    @Override
    public void stop(BundleContext context) {}
}
