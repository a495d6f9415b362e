package org.backplane.itests;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.jar.JarInputStream;
import org.ops4j.pax.tinybundles.TinyBundle;
import org.ops4j.pax.tinybundles.TinyBundles;
import org.osgi.framework.Constants;

/** Another version of one of the project's bundles, with the same code. */
public final class NewBuild {
    private NewBuild() {}

    public static Path path(String name, String version) {
        return ProjectBundle.root()
                .resolve("itests/target/builds/%s-%s.jar".formatted(name, version));
    }

    public static void make(String name, String version) {
        make(name, version, List.of());
    }

    /** A build that lacks a class. */
    static void makeWithout(String name, String version, String type) {
        ProjectBundle bundle = ProjectBundle.named(name);
        List<String> lacking =
                bundle.classFiles().stream()
                        .filter(file -> file.endsWith("/" + type + ".class"))
                        .toList();
        if (lacking.isEmpty()) {
            throw new AssertionError(bundle.jar() + " has no class " + type);
        }
        make(name, version, lacking);
    }

    private static void make(String name, String version, List<String> without) {
        Path jar = path(name, version);
        try (JarInputStream original =
                new JarInputStream(Files.newInputStream(ProjectBundle.named(name).jar()))) {
            Files.createDirectories(jar.getParent());
            TinyBundle build =
                    TinyBundles.bundle()
                            .readIn(original)
                            .setHeader(Constants.BUNDLE_VERSION, version);
            without.forEach(build::removeResource);
            try (InputStream built = build.build(TinyBundles.rawBuilder())) {
                Files.copy(built, jar, StandardCopyOption.REPLACE_EXISTING);
            }
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }
}
