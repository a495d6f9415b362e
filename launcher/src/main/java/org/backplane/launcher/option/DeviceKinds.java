package org.backplane.launcher.option;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipException;

/**
 * The kinds of device that bundles offer, read from their manifests without starting anything:
 * {@code Provide-Capability: org.backplane.device;kind="virtio-blk"}.
 */
public final class DeviceKinds {
    private static final Logger LOG = System.getLogger(DeviceKinds.class.getName());
    private static final String NAMESPACE = "org.backplane.device";
    private static final Pattern CLAUSE =
            Pattern.compile("(?:[^,\"]|\"(?:[^\"\\\\]|\\\\.)*\")+", Pattern.DOTALL);
    private static final Pattern KIND =
            Pattern.compile(";\\s*kind(?::String)?\\s*=\\s*(?:\"([^\"]*)\"|([^;\"\\s]+))");

    private DeviceKinds() {}

    /** The kinds of all bundles directly inside the folders; a folder that is absent has none. */
    public static SortedSet<String> in(List<Path> folders) throws IOException {
        SortedSet<String> kinds = new TreeSet<>();
        for (Path folder : folders) {
            if (!Files.isDirectory(folder)) {
                continue;
            }
            try (DirectoryStream<Path> jars = Files.newDirectoryStream(folder, "*.jar")) {
                for (Path jar : jars) {
                    kinds.addAll(declared(header(jar)));
                }
            }
        }
        return kinds;
    }

    private static String header(Path jar) throws IOException {
        try (JarFile file = new JarFile(jar.toFile())) {
            Manifest manifest = file.getManifest();
            String header =
                    manifest == null
                            ? null
                            : manifest.getMainAttributes().getValue("Provide-Capability");
            return header == null ? "" : header;
        } catch (ZipException e) {
            LOG.log(Level.WARNING, "{0} is not a whole jar: {1}", jar, e.getMessage());
            return "";
        }
    }

    /** The kinds that a {@code Provide-Capability} header declares. */
    static SortedSet<String> declared(String header) {
        SortedSet<String> kinds = new TreeSet<>();
        Matcher clauses = CLAUSE.matcher(header);
        while (clauses.find()) {
            String clause = clauses.group().strip();
            String namespace = clause.split(";", 2)[0].strip();
            Matcher kind = KIND.matcher(clause);
            if (namespace.equals(NAMESPACE) && kind.find()) {
                kinds.add(kind.group(1) != null ? kind.group(1) : kind.group(2));
            }
        }
        return kinds;
    }
}
