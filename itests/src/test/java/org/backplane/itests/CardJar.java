package org.backplane.itests;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.backplane.itests.card.Activator;
import org.backplane.itests.card.Behaviour;
import org.ops4j.pax.tinybundles.TinyBundles;
import org.osgi.framework.Constants;

/** Makes bundles of the card on the fly, outside of the framework. */
final class CardJar {
    private static final String FOLDER = "org/backplane/itests/card/";
    private static final List<String> CLASSES =
            List.of("Activator", "Behaviour", "Card", "CardFactory");

    private CardJar() {}

    /** Where the jar of a behaviour and version is. */
    static Path path(Behaviour behaviour, int version) {
        return ProjectBundle.root()
                .resolve("itests/target/cards/%s-%d.jar".formatted(behaviour, version));
    }

    /** Makes the jar. */
    static void make(Behaviour behaviour, int version) {
        Path jar = path(behaviour, version);
        try {
            Files.createDirectories(jar.getParent());
            var bundle =
                    TinyBundles.bundle()
                            .setHeader(Constants.BUNDLE_SYMBOLICNAME, "org.backplane.itests.card")
                            .setHeader(Constants.BUNDLE_VERSION, version + ".0.0")
                            .setHeader(Constants.BUNDLE_ACTIVATOR, Activator.class.getName())
                            .setHeader(Constants.EXPORT_PACKAGE, "!*")
                            .setHeader(
                                    Constants.PROVIDE_CAPABILITY, "org.backplane.device;kind=card")
                            .setHeader(Behaviour.HEADER, behaviour.name());
            for (String name : CLASSES) {
                String file = FOLDER + name + ".class";
                bundle.addResource(file, CardJar.class.getResource("/" + file));
            }
            try (InputStream built = bundle.build(TinyBundles.bndBuilder())) {
                Files.copy(built, jar, StandardCopyOption.REPLACE_EXISTING);
            }
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }
}
