package org.backplane.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import javax.inject.Inject;
import org.apache.felix.cm.impl.ConfigurationManager;
import org.apache.felix.gogo.command.Basic;
import org.apache.felix.gogo.runtime.CommandProcessorImpl;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.CoreOptions;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.wiring.BundleRevision;

/** Every bundle of the project resolves and starts on Felix, and offers what its manifest says. */
@RunWith(PaxExam.class)
public final class WiringIT {
    /** What tests need, and what starts with the Web Console only ({@code WebAccessIT}). */
    private static final Set<String> ELSEWHERE = Set.of("testkit", "contract", "web");

    @Inject private BundleContext context;

    @Configuration
    public Option[] framework() {
        return CoreOptions.options(
                Framework.base(),
                Framework.onClassPath(ConfigurationManager.class),
                Framework.onClassPath(CommandProcessorImpl.class),
                Framework.onClassPath(Basic.class),
                Framework.project(
                        ProjectBundle.all().stream()
                                .map(ProjectBundle::name)
                                .filter(name -> !ELSEWHERE.contains(name))
                                .toList()));
    }

    @Test
    public void everyBundleIsActive() {
        Set<String> down = new TreeSet<>();
        int seen = 0;
        for (Bundle bundle : context.getBundles()) {
            if (bundle.getSymbolicName().startsWith("org.backplane.")) {
                seen++;
                if (bundle.getState() != Bundle.ACTIVE) {
                    down.add(bundle + " is in state " + bundle.getState());
                }
            }
        }
        assertEquals(Set.of(), down);
        assertTrue("saw %d bundles".formatted(seen), seen >= 10);
    }

    @Test
    public void everyKindOfAManifestIsOfferedAsAFactory() throws Exception {
        Set<String> offered = new TreeSet<>();
        ServiceReference<?>[] factories =
                context.getAllServiceReferences("org.backplane.device.DeviceFactory", null);
        for (ServiceReference<?> factory :
                factories == null ? new ServiceReference<?>[0] : factories) {
            offered.add((String) factory.getProperty("org.backplane.kind"));
        }
        Set<String> promised = new TreeSet<>();
        for (Bundle bundle : context.getBundles()) {
            bundle.adapt(BundleRevision.class)
                    .getDeclaredCapabilities("org.backplane.device")
                    .forEach(c -> promised.add((String) c.getAttributes().get("kind")));
        }
        assertEquals(promised, offered);
        assertTrue(offered.toString(), offered.containsAll(List.of("ns16550a", "power")));
    }
}
