package org.backplane.itests;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.jar.JarInputStream;
import org.ops4j.pax.tinybundles.TinyBundles;
import org.osgi.framework.Constants;

/** Another version of one of the project's bundles, with the same code. */
final class NewBuild {
    private NewBuild() {}

    static Path path(String name, String version) {
        return ProjectBundle.root()
                .resolve("itests/target/builds/%s-%s.jar".formatted(name, version));
    }

    static void make(String name, String version) {
        Path jar = path(name, version);
        try (JarInputStream original =
                new JarInputStream(Files.newInputStream(ProjectBundle.named(name).jar()))) {
            Files.createDirectories(jar.getParent());
            try (InputStream built =
                    TinyBundles.bundle()
                            .readIn(original)
                            .setHeader(Constants.BUNDLE_VERSION, version)
                            .build(TinyBundles.rawBuilder())) {
                Files.copy(built, jar, StandardCopyOption.REPLACE_EXISTING);
            }
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }
}
