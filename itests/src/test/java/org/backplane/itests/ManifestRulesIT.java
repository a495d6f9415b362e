package org.backplane.itests;

import static java.util.stream.Collectors.toCollection;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotNull;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.Attributes;
import org.backplane.itests.ProjectBundle.Clause;
import org.junit.Test;
import org.osgi.framework.Constants;
import org.osgi.framework.Version;

/** The rules of the layout that can be read from the manifests, over every bundle there is. */
public final class ManifestRulesIT {
    private static final Set<String> BOARD =
            Set.of("bus", "linux", "memory", "hypervisor", "device", "pci", "virtio", "vfio");
    private static final Set<String> FOR_DEVICES =
            Set.of("bus", "linux", "memory", "device", "pci", "virtio");

    private static final Set<String> FOR_VFIO =
            Set.of("bus", "linux", "memory", "device", "pci", "vfio");

    private static final Set<String> FOR_CONTRACT =
            Set.of("bus", "linux", "memory", "device", "pci", "virtio", "testkit");

    /** Plain values, which engines save the state of processors as: the one contract of states. */
    private static final String STATE = "org.backplane.device.state";

    /** Bundles, or packages of bundles, of this project that each bundle may import from. */
    private static final Map<String, Set<String>> ALLOWED =
            Map.ofEntries(
                    Map.entry("bus", Set.of()),
                    Map.entry("linux", Set.of()),
                    Map.entry("memory", Set.of("linux")),
                    Map.entry("hypervisor", Set.of("memory", "linux", STATE)),
                    Map.entry("device", Set.of("bus", "memory", "linux")),
                    Map.entry("pci", Set.of("bus", "memory", "device", "linux")),
                    Map.entry("virtio", Set.of("bus", "memory", "device", "pci", "linux")),
                    Map.entry("vfio", Set.of("memory", "linux")),
                    Map.entry("hart", Set.of("hypervisor", "memory", "linux", STATE)),
                    Map.entry("kvm", Set.of("hypervisor", "memory", "linux", STATE)),
                    Map.entry("machine", BOARD),
                    Map.entry("chipset", Set.of("bus", "device")),
                    Map.entry("rng", FOR_DEVICES),
                    Map.entry("testdev", FOR_DEVICES),
                    Map.entry("device-virtio-blk", FOR_DEVICES),
                    Map.entry("device-virtio-net", FOR_DEVICES),
                    Map.entry("device-vfio", FOR_VFIO),
                    // The machine's address map is told in the bus's ranges and spaces.
                    Map.entry("shell", Set.of("machine", "bus")),
                    Map.entry("remote", Set.of("machine", "bus")),
                    Map.entry("web", Set.of("machine", "bus")),
                    Map.entry("testkit", BOARD),
                    Map.entry("contract", FOR_CONTRACT));

    /** Packages of others, by prefix, that each bundle may import; the JDK's need no import. */
    private static final Map<String, Set<String>> ALLOWED_OF_OTHERS =
            Map.of(
                    // File Install only where a folder is watched: the import is optional.
                    "machine",
                            Set.of(
                                    "org.osgi.service.cm",
                                    "org.osgi.util.tracker",
                                    "org.apache.felix.fileinstall"),
                    "shell", Set.of("org.apache.felix.service.", "org.osgi.util.tracker"),
                    "web",
                            Set.of(
                                    "org.osgi.util.tracker",
                                    "org.osgi.service.servlet.",
                                    "jakarta.servlet",
                                    "org.apache.felix.webconsole."),
                    "remote", Set.of("org.osgi.util.tracker"),
                    // Its package for JUnit only: the import is optional.
                    "contract", Set.of("org.junit.jupiter.api", "org.opentest4j"));

    private static final Set<String> PLUGGABLE =
            Set.of("chipset", "rng", "testdev", "shell", "remote", "web");

    private final List<ProjectBundle> bundles = ProjectBundle.all();

    /** Puts together what is wrong, so that one run shows all of it. */
    private static void assertNone(Set<String> wrong) {
        assertEquals(String.join("\n", wrong), Set.of(), wrong);
    }

    private Set<String> wrong() {
        return new TreeSet<>();
    }

    @Test
    public void importsOnlyFromBundlesThatTheLayoutAllows() {
        Set<String> wrong = wrong();
        for (ProjectBundle bundle : bundles) {
            Set<String> allowed = ALLOWED.get(bundle.name());
            assertNotNull(bundle.name() + " is not in the table of allowed imports", allowed);
            for (Clause imported : bundle.imports()) {
                for (ProjectBundle exporter : bundles) {
                    boolean exports =
                            exporter.exports().stream()
                                    .anyMatch(export -> export.path().equals(imported.path()));
                    if (exports
                            && exporter != bundle
                            && !allowed.contains(exporter.name())
                            && !allowed.contains(imported.path())) {
                        wrong.add(
                                "%s imports %s of %s"
                                        .formatted(
                                                bundle.name(), imported.path(), exporter.name()));
                    }
                }
            }
        }
        assertNone(wrong);
    }

    @Test
    public void everyImportOfTheProjectIsExportedByTheProject() {
        Set<String> exported =
                bundles.stream()
                        .flatMap(bundle -> bundle.exports().stream())
                        .map(Clause::path)
                        .collect(toCollection(TreeSet::new));
        Set<String> wrong = wrong();
        for (ProjectBundle bundle : bundles) {
            for (Clause imported : bundle.imports()) {
                if (imported.path().startsWith("org.backplane.")
                        && !exported.contains(imported.path())) {
                    wrong.add(bundle.name() + " imports " + imported.path());
                }
            }
        }
        assertNone(wrong);
    }

    @Test
    public void importsOfOthersAreTheFrameworkAndWhatTheTableNames() {
        Set<String> wrong = wrong();
        for (ProjectBundle bundle : bundles) {
            Set<String> allowed = ALLOWED_OF_OTHERS.getOrDefault(bundle.name(), Set.of());
            for (Clause imported : bundle.imports()) {
                String path = imported.path();
                if (!path.startsWith("org.backplane.")
                        && !path.equals("org.osgi.framework")
                        && !path.startsWith("org.osgi.framework.")
                        && allowed.stream().noneMatch(path::startsWith)
                        && !ofTheJdk(path)) {
                    wrong.add(bundle.name() + " imports " + path);
                }
            }
        }
        assertNone(wrong);
    }

    /** Packages that a module of the running JDK exports to everyone. */
    private static boolean ofTheJdk(String path) {
        return ModuleLayer.boot().modules().stream()
                .filter(Module::isNamed)
                .anyMatch(module -> module.getPackages().contains(path) && module.isExported(path));
    }

    @Test
    public void directoryIsSymbolicNameIsRootPackage() {
        Set<String> wrong = wrong();
        for (ProjectBundle bundle : bundles) {
            String root = bundle.rootPackage();
            String symbolic = bundle.manifest().getValue(Constants.BUNDLE_SYMBOLICNAME);
            if (!symbolic.split(";")[0].strip().equals(root)) {
                wrong.add(bundle.name() + " has the symbolic name " + symbolic);
            }
            for (Clause export : bundle.exports()) {
                if (!isIn(root, export.path())) {
                    wrong.add(bundle.name() + " exports " + export.path());
                }
            }
            for (String file : bundle.classFiles()) {
                String path = file.substring(0, Math.max(0, file.lastIndexOf('/')));
                String name = path.replace('/', '.');
                if (name.startsWith("org.backplane") && !isIn(root, name)) {
                    wrong.add(bundle.name() + " contains " + file);
                }
            }
        }
        assertNone(wrong);
    }

    private static boolean isIn(String root, String path) {
        return path.equals(root) || path.startsWith(root + ".");
    }

    @Test
    public void deviceBundlesAndPluggableOnesExportNothing() {
        Set<String> wrong = wrong();
        for (ProjectBundle bundle : bundles) {
            boolean mayNot =
                    bundle.name().startsWith("device-") || PLUGGABLE.contains(bundle.name());
            if (mayNot && !bundle.exports().isEmpty()) {
                wrong.add(bundle.name() + " exports " + bundle.exports());
            }
        }
        assertNone(wrong);
    }

    @Test
    public void exportedPackagesHaveVersions() {
        Set<String> wrong = wrong();
        for (ProjectBundle bundle : bundles) {
            for (Clause export : bundle.exports()) {
                String version = export.attributes().get(Constants.VERSION_ATTRIBUTE);
                if (version == null || Version.parseVersion(version).getMajor() < 1) {
                    wrong.add("%s exports %s".formatted(bundle.name(), export));
                }
            }
        }
        assertNone(wrong);
    }

    @Test
    public void importsOfTheProjectHaveVersionRanges() {
        Set<String> wrong = wrong();
        for (ProjectBundle bundle : bundles) {
            for (Clause imported : bundle.imports()) {
                if (imported.path().startsWith("org.backplane.")
                        && !imported.attributes().containsKey(Constants.VERSION_ATTRIBUTE)) {
                    wrong.add("%s imports %s".formatted(bundle.name(), imported));
                }
            }
        }
        assertNone(wrong);
    }

    @Test
    public void nothingIsWiredButByPackage() {
        Set<String> wrong = wrong();
        for (ProjectBundle bundle : bundles) {
            Attributes manifest = bundle.manifest();
            for (String header :
                    List.of(
                            Constants.REQUIRE_BUNDLE,
                            Constants.DYNAMICIMPORT_PACKAGE,
                            Constants.FRAGMENT_HOST)) {
                if (manifest.getValue(header) != null) {
                    wrong.add("%s has %s".formatted(bundle.name(), header));
                }
            }
        }
        assertNone(wrong);
    }

    @Test
    public void noPackageIsExportedTwice() {
        Set<String> seen = new TreeSet<>();
        Set<String> wrong = wrong();
        for (ProjectBundle bundle : bundles) {
            for (Clause export : bundle.exports()) {
                if (!seen.add(export.path())) {
                    wrong.add(bundle.name() + " exports " + export.path() + " too");
                }
            }
        }
        assertNone(wrong);
    }
}
