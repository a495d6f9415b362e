package org.backplane.itests;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.backplane.itests.card.Activator;
import org.backplane.itests.card.Behaviour;
import org.ops4j.pax.tinybundles.TinyBundles;
import org.osgi.framework.Constants;

/**
 * Makes bundles of the card on the fly: the code once, outside of the framework, and from it any
 * number of builds that differ in what their manifests say.
 */
public final class CardJar {
    static final String SYMBOLIC_NAME = "org.backplane.itests.card";
    private static final String CLASSES = "org/backplane/itests/card/";
    private static final Path FOLDER = ProjectBundle.root().resolve("itests/target/cards");
    private static final Path CODE = FOLDER.resolve("code.jar");

    private CardJar() {}

    /** Makes the code that every build is of. */
    static void make() {
        try {
            Files.createDirectories(FOLDER);
            var bundle =
                    TinyBundles.bundle()
                            .setHeader(Constants.BUNDLE_SYMBOLICNAME, SYMBOLIC_NAME)
                            .setHeader(Constants.BUNDLE_ACTIVATOR, Activator.class.getName())
                            .setHeader(Constants.EXPORT_PACKAGE, "!*")
                            .setHeader(
                                    Constants.PROVIDE_CAPABILITY,
                                    "org.backplane.device;kind=card,org.backplane.device;kind=virtio-card");
            Path classes = Path.of(CardJar.class.getResource("/" + CLASSES).getPath());
            for (Path file : list(classes)) {
                bundle.addResource(CLASSES + file.getFileName(), file.toUri().toURL());
            }
            try (InputStream built = bundle.build(TinyBundles.bndBuilder())) {
                Files.copy(built, CODE, StandardCopyOption.REPLACE_EXISTING);
            }
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    private static List<Path> list(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            return files.toList();
        }
    }

    /** A build of a behaviour and version, always the same. */
    public static Path path(Behaviour behaviour, int version) {
        return build(behaviour, version, 0);
    }

    /**
     * A build of a behaviour and version.
     *
     * @param number another makes another jar of the same name and version
     */
    public static Path build(Behaviour behaviour, int version, int number) {
        Path jar = FOLDER.resolve("%s-%d-%d.jar".formatted(behaviour, version, number));
        try (var code = new JarFile(CODE.toFile())) {
            var manifest = new Manifest(code.getManifest());
            Attributes headers = manifest.getMainAttributes();
            headers.putValue(Constants.BUNDLE_VERSION, version + ".0.0");
            headers.putValue(Behaviour.HEADER, behaviour.name());
            headers.putValue("Card-Build", Integer.toString(number));
            if (behaviour == Behaviour.DOES_NOT_RESOLVE) {
                headers.putValue(
                        Constants.IMPORT_PACKAGE,
                        headers.getValue(Constants.IMPORT_PACKAGE) + ",org.backplane.nobody");
            }
            Path part = Files.createTempFile(FOLDER, "part", ".jar");
            try (var copy = new JarOutputStream(Files.newOutputStream(part))) {
                copy.putNextEntry(timeless(JarFile.MANIFEST_NAME));
                manifest.write(copy);
                for (JarEntry entry : code.stream().toList()) {
                    if (entry.getName().endsWith(".class")) {
                        copy.putNextEntry(timeless(entry.getName()));
                        code.getInputStream(entry).transferTo(copy);
                    }
                }
            }
            return Files.move(part, jar, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    /** The time of its making would make each jar another. */
    private static JarEntry timeless(String name) {
        var entry = new JarEntry(name);
        entry.setTime(0);
        return entry;
    }
}
