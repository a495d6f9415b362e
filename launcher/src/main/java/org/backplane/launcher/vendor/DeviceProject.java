package org.backplane.launcher.vendor;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * A Maven project with a device bundle that works, to be changed into another.
 *
 * @param kind what the device is called
 * @param type what it is
 * @param repository the Maven repository of a distribution, as a URL
 * @param version of the artifacts there
 */
public record DeviceProject(KindName kind, DeviceType type, String repository, String version) {
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
