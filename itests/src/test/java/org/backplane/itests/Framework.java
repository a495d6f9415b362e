package org.backplane.itests;

import static org.ops4j.pax.exam.CoreOptions.bundle;
import static org.ops4j.pax.exam.CoreOptions.composite;
import static org.ops4j.pax.exam.CoreOptions.frameworkProperty;
import static org.ops4j.pax.exam.CoreOptions.junitBundles;
import static org.ops4j.pax.exam.CoreOptions.systemPackages;

import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.List;
import org.ops4j.pax.exam.Option;

/** What the test's framework is made of. Bundles come by file, so nothing has to be installed. */
public final class Framework {
    /** The board tier's bundles. */
    static final List<String> BOARD =
            List.of("bus", "linux", "memory", "hypervisor", "device", "pci", "virtio", "vfio");

    private Framework() {}

    /** JUnit, what Pax Exam needs, and the framework's settings as the launcher has them. */
    public static Option base() {
        return composite(
                frameworkProperty("org.osgi.framework.bsnversion").value("multiple"),
                // The link assembly's bundles were made for slf4j 1.
                systemPackages("org.slf4j;version=\"1.7.36\""),
                junitBundles());
    }

    /** A bundle that is on the class path. */
    public static Option onClassPath(Class<?> anyOfIts) {
        try {
            Path jar =
                    Path.of(anyOfIts.getProtectionDomain().getCodeSource().getLocation().toURI());
            return bundle(jar.toUri().toString());
        } catch (URISyntaxException noPath) {
            throw new AssertionError(anyOfIts.getName(), noPath);
        }
    }

    public static Option project(List<String> names) {
        return composite(names.stream().map(Framework::project).toArray(Option[]::new));
    }

    public static Option project(String name) {
        return bundle(ProjectBundle.named(name).jar().toUri().toString());
    }
}
