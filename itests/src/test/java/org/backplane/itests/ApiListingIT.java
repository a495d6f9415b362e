package org.backplane.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.fail;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.backplane.itests.ProjectBundle.Clause;
import org.junit.Test;

/**
 * Compares what every bundle exports with the listing that was committed, so that nobody changes a
 * signature unseen. A change is accepted with {@code -Dapi.update=true}.
 */
public final class ApiListingIT {
    private static final String ACCEPT =
            "mvn -o -B verify -pl itests -am -Dtest=none -Dsurefire.failIfNoSpecifiedTests=false"
                    + " -Dit.test=ApiListingIT -Dfailsafe.failIfNoSpecifiedTests=false"
                    + " -Dapi.update=true";

    private static final Pattern CLASS_NAME =
            Pattern.compile("(?:class|interface) (?:[a-z0-9_]+\\.)*([\\w$]+)");

    private final Path listings = ProjectBundle.root().resolve("docs/api");

    @Test
    public void exportedSignaturesAreTheOnesCommitted() throws IOException {
        boolean update = Boolean.getBoolean("api.update");
        StringBuilder differences = new StringBuilder();
        for (ProjectBundle bundle : exporters()) {
            Path file = listing(bundle);
            List<String> now = signatures(bundle);
            if (update) {
                Files.createDirectories(listings);
                Files.write(file, now);
            } else {
                List<String> before = Files.exists(file) ? Files.readAllLines(file) : List.of();
                differences.append(difference(bundle.name(), before, now));
            }
        }
        if (!differences.isEmpty()) {
            fail(
                    "exported signatures differ from docs/api:\n%s\nTo accept the change: %s\n"
                            .formatted(differences, ACCEPT));
        }
    }

    @Test
    public void everyListingIsOfABundle() throws IOException {
        Set<Path> expected = new LinkedHashSet<>();
        exporters().forEach(bundle -> expected.add(listing(bundle)));
        Set<Path> found = new LinkedHashSet<>();
        if (Files.isDirectory(listings)) {
            try (Stream<Path> files = Files.list(listings)) {
                files.filter(file -> !expected.contains(file)).forEach(found::add);
            }
        }
        assertEquals(Set.of(), found);
    }

    private static List<ProjectBundle> exporters() {
        return ProjectBundle.all().stream().filter(b -> !b.exports().isEmpty()).toList();
    }

    private Path listing(ProjectBundle bundle) {
        return listings.resolve(bundle.name() + ".txt");
    }

    /** The public classes of the exported packages with their public and protected members. */
    private static List<String> signatures(ProjectBundle bundle) {
        Set<String> exported = new LinkedHashSet<>();
        bundle.exports().stream().map(Clause::path).forEach(exported::add);
        List<String> arguments =
                new ArrayList<>(
                        List.of("-protected", "-constants", "-classpath", bundle.jar().toString()));
        bundle.classFiles().stream()
                .map(file -> file.substring(0, file.length() - ".class".length()))
                .map(file -> file.replace('/', '.'))
                .filter(name -> name.lastIndexOf('.') > 0)
                .filter(name -> exported.contains(name.substring(0, name.lastIndexOf('.'))))
                .filter(name -> !name.endsWith(".package-info"))
                .forEach(arguments::add);

        TreeMap<String, List<String>> classes = new TreeMap<>();
        String name = null;
        for (String line : javap(arguments)) {
            if (line.startsWith("Compiled from")) {
                continue;
            }
            if (!line.startsWith(" ") && line.endsWith("{")) {
                name = line.startsWith("public ") ? line : null;
                if (name != null) {
                    classes.put(name, new ArrayList<>());
                }
            } else if (name != null && line.startsWith(" ")) {
                classes.get(name).add(line);
            }
        }
        List<String> listing = new ArrayList<>();
        classes.forEach(
                (header, members) -> {
                    listing.add(header);
                    members.stream().sorted().forEach(listing::add);
                    listing.add("}");
                });
        return listing;
    }

    private static List<String> javap(List<String> arguments) {
        ToolProvider javap =
                ToolProvider.findFirst("javap")
                        .orElseThrow(() -> new AssertionError("no javap: run on a JDK, not a JRE"));
        StringWriter out = new StringWriter();
        int status =
                javap.run(
                        new PrintWriter(out),
                        new PrintWriter(out),
                        arguments.toArray(String[]::new));
        assertEquals(out.toString(), 0, status);
        return Arrays.asList(out.toString().split("\\R"));
    }

    /** What was taken away and what was added, each under the class it is in. */
    private static String difference(String bundle, List<String> before, List<String> now) {
        Set<String> old = inTheirClasses(before);
        Set<String> current = inTheirClasses(now);
        StringBuilder text = new StringBuilder();
        old.stream()
                .filter(line -> !current.contains(line))
                .forEach(line -> text.append("  - ").append(line).append('\n'));
        current.stream()
                .filter(line -> !old.contains(line))
                .forEach(line -> text.append("  + ").append(line).append('\n'));
        return text.isEmpty() ? "" : bundle + "\n" + text;
    }

    /** {@code Placement$Exact} of {@code public final class org.backplane.bus.Placement$Exact}. */
    private static String simpleName(String header) {
        Matcher name = CLASS_NAME.matcher(header);
        return name.find() ? name.group(1) : header;
    }

    private static Set<String> inTheirClasses(List<String> listing) {
        Set<String> lines = new LinkedHashSet<>();
        String header = "";
        for (String line : listing) {
            if (line.startsWith("public ")) {
                header = line.replace(" {", "");
                lines.add(header);
            } else if (line.startsWith(" ")) {
                lines.add(simpleName(header) + ": " + line.strip());
            }
        }
        return lines;
    }
}
