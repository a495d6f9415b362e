package org.backplane.launcher.vendor;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A Maven project with a device bundle that works, to be changed into another.
 *
 * @param kind what the device is called
 * @param type what it is
 * @param repository the Maven repository of a distribution, as a URL
 * @param version of the artifacts there
 */
public record DeviceProject(KindName kind, DeviceType type, String repository, String version) {
    private static final String JAVA = ".java";

    /**
     * Writes the project.
     *
     * @param folder made if it is not there
     */
    public void write(Path folder) throws IOException {
        Map<String, String> files =
                type.files(kind.packageName().replace('.', '/'), kind.className(), kind.kind());
        for (Map.Entry<String, String> file : files.entrySet()) {
            Path target = folder.resolve(file.getValue());
            Files.createDirectories(target.getParent());
            Files.writeString(target, filled(template(file.getKey())));
        }
    }

    /** Why no project that builds can be written of that kind; empty if one can. */
    public Optional<String> refusal() throws IOException {
        String path = kind.packageName().replace('.', '/');
        Map<String, String> files = type.files(path, kind.className(), kind.kind());
        Map<String, String> nameless = type.files(path, "", kind.kind());
        List<String> templates = new ArrayList<>();
        List<String> classes = new ArrayList<>();
        for (Map.Entry<String, String> file : files.entrySet()) {
            if (file.getValue().endsWith(JAVA)) {
                templates.add(template(file.getKey()));
                if (!file.getValue().equals(nameless.get(file.getKey()))) {
                    String name = Path.of(file.getValue()).getFileName().toString();
                    classes.add(name.substring(0, name.length() - JAVA.length()));
                }
            }
        }
        TakenNames taken = new TakenNames(templates);
        return Stream.concat(
                        taken.refusalOfPackage(kind.packageName()).stream(),
                        classes.stream().flatMap(name -> taken.refusalOfClass(name).stream()))
                .findFirst();
    }

    private String filled(String template) {
        return template.replace("@PACKAGE@", kind.packageName())
                .replace("@CLASS@", kind.className())
                .replace("@KIND@", kind.kind())
                .replace("@TYPE@", type.word())
                .replace("@STATE@", type.golden())
                .replace("@VERSION@", version)
                .replace("@REPOSITORY@", repository);
    }

    private static String template(String name) throws IOException {
        try (InputStream in = DeviceProject.class.getResourceAsStream(name + ".template")) {
            if (in == null) {
                throw new IOException("the launcher lacks the template " + name);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
