package org.backplane.itests;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.osgi.framework.Constants;

/**
 * A bundle of this project as it was packaged.
 *
 * @param name of its directory: {@code device-virtio-blk}
 */
public record ProjectBundle(String name, Path jar) {
    private static final Path ROOT = Path.of(System.getProperty("backplane.root")).normalize();
    private static final Pattern MODULE = Pattern.compile("<module>(.*?)</module>");

    /** Modules that are no bundles. */
    private static final List<String> OTHERS = List.of("launcher", "itests", "bench", "stress");

    public static Path root() {
        return ROOT;
    }

    /** Every bundle of the project, in the order in which they are built. */
    static List<ProjectBundle> all() {
        try {
            return MODULE.matcher(Files.readString(ROOT.resolve("pom.xml")))
                    .results()
                    .map(module -> ROOT.resolve(module.group(1)))
                    .filter(module -> !OTHERS.contains(module.getFileName().toString()))
                    .map(ProjectBundle::packaged)
                    .toList();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    public static ProjectBundle named(String name) {
        return all().stream()
                .filter(bundle -> bundle.name.equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no module '" + name + "' in pom.xml"));
    }

    private static ProjectBundle packaged(Path module) {
        try (Stream<Path> files = Files.list(module.resolve("target"))) {
            List<Path> jars = files.filter(file -> file.toString().endsWith(".jar")).toList();
            if (jars.size() != 1) {
                throw new AssertionError(
                        "%s/target has %d jars, not one; run 'mvn clean package'"
                                .formatted(module, jars.size()));
            }
            return new ProjectBundle(module.getFileName().toString(), jars.get(0));
        } catch (IOException unreadable) {
            throw new UncheckedIOException("package the bundles first", unreadable);
        }
    }

    /** The package that everything in the bundle is in or below. */
    String rootPackage() {
        return "org.backplane." + name.replace('-', '.');
    }

    Attributes manifest() {
        try (JarFile file = new JarFile(jar.toFile())) {
            return file.getManifest().getMainAttributes();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    List<Clause> exports() {
        return Clause.parse(manifest().getValue(Constants.EXPORT_PACKAGE));
    }

    List<Clause> imports() {
        return Clause.parse(manifest().getValue(Constants.IMPORT_PACKAGE));
    }

    /** Names of the class files, as {@code org/backplane/bus/Bus.class}. */
    List<String> classFiles() {
        try (JarFile file = new JarFile(jar.toFile())) {
            return file.stream()
                    .map(entry -> entry.getName())
                    .filter(entry -> entry.endsWith(".class"))
                    .toList();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    /**
     * One clause of a manifest header.
     *
     * @param attributes and directives, the latter with their colon
     */
    record Clause(String path, Map<String, String> attributes) {
        private static final Pattern CLAUSE = Pattern.compile("((?:[^,\"]|\"[^\"]*\")+)");
        private static final Pattern PART = Pattern.compile("((?:[^;\"]|\"[^\"]*\")+)");

        static List<Clause> parse(String header) {
            if (header == null) {
                return List.of();
            }
            return CLAUSE.matcher(header).results().map(c -> of(c.group().strip())).toList();
        }

        private static Clause of(String clause) {
            List<String> parts =
                    PART.matcher(clause).results().map(part -> part.group().strip()).toList();
            Map<String, String> attributes = new TreeMap<>();
            for (String part : parts.subList(1, parts.size())) {
                Matcher pair = Pattern.compile("(.*?:?)=\"?(.*?)\"?").matcher(part);
                if (pair.matches()) {
                    attributes.put(pair.group(1), pair.group(2));
                }
            }
            return new Clause(parts.get(0), attributes);
        }
    }
}
