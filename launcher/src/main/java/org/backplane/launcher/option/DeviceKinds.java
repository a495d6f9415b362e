package org.backplane.launcher.option;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.ZipException;

/**
 * The kinds of device that bundles offer and their settings, read from the manifests without
 * starting anything: {@code Provide-Capability:
 * org.backplane.device;kind="virtio-blk";settings:List<String>="path!=file,ro=flag"}.
 */
public final class DeviceKinds {
    private static final Logger LOG = System.getLogger(DeviceKinds.class.getName());
    private static final String NAMESPACE = "org.backplane.device";

    /** The bus of kinds that are no PCI devices. */
    private static final String BOARD = "board";

    private static final Pattern CLAUSE =
            Pattern.compile("(?:[^,\"]|\"(?:[^\"\\\\]|\\\\.)*\")+", Pattern.DOTALL);
    private static final Pattern PART =
            Pattern.compile("(?:[^;\"]|\"(?:[^\"\\\\]|\\\\.)*\")+", Pattern.DOTALL);
    private static final Pattern ATTRIBUTE =
            Pattern.compile(
                    "([\\w.-]+)\\s*(?::\\s*[\\w.<>-]+)?\\s*=\\s*\"?([^\"]*?)\"?", Pattern.DOTALL);

    /** Of each kind what every bundle that offers it says of its settings, if it says anything. */
    private final SortedMap<String, List<Optional<List<Setting>>>> kinds = new TreeMap<>();

    /** Of them those that a bundle offers as more than a part of a board. */
    private final SortedSet<String> plugged = new TreeSet<>();

    private DeviceKinds() {}

    /** The kinds of all bundles directly inside the folders; a folder that is absent has none. */
    public static DeviceKinds in(List<Path> folders) throws IOException {
        DeviceKinds kinds = new DeviceKinds();
        for (Path folder : folders) {
            if (!Files.isDirectory(folder)) {
                continue;
            }
            try (DirectoryStream<Path> jars = Files.newDirectoryStream(folder, "*.jar")) {
                for (Path jar : jars) {
                    kinds.declare(header(jar));
                }
            }
        }
        return kinds;
    }

    /** The kinds of one bundle; a jar that is no device bundle has none. */
    public static SortedSet<String> of(Path jar) throws IOException {
        return declared(header(jar)).names();
    }

    private static String header(Path jar) throws IOException {
        try {
            return headerOfWhole(jar);
        } catch (ZipException e) {
            LOG.log(Level.WARNING, "{0} is not a whole jar: {1}", jar, e.getMessage());
            return "";
        }
    }

    private static String headerOfWhole(Path jar) throws IOException {
        try (JarFile file = new JarFile(jar.toFile())) {
            Manifest manifest = file.getManifest();
            String header =
                    manifest == null
                            ? null
                            : manifest.getMainAttributes().getValue("Provide-Capability");
            return header == null ? "" : header;
        }
    }

    /** The kinds that a {@code Provide-Capability} header declares. */
    static DeviceKinds declared(String header) {
        DeviceKinds kinds = new DeviceKinds();
        kinds.declare(header);
        return kinds;
    }

    private void declare(String header) {
        Matcher clauses = CLAUSE.matcher(header);
        while (clauses.find()) {
            String clause = clauses.group().strip();
            Map<String, String> attributes = attributes(clause);
            String kind = attributes.get("kind");
            if (kind != null && clause.split(";", 2)[0].strip().equals(NAMESPACE)) {
                kinds.computeIfAbsent(kind, any -> new ArrayList<>())
                        .add(
                                Optional.ofNullable(attributes.get("settings"))
                                        .map(DeviceKinds::settings));
                if (!BOARD.equals(attributes.get("bus"))) {
                    plugged.add(kind);
                }
            }
        }
    }

    private static Map<String, String> attributes(String clause) {
        Map<String, String> attributes = new TreeMap<>();
        Matcher parts = PART.matcher(clause);
        while (parts.find()) {
            Matcher attribute = ATTRIBUTE.matcher(parts.group().strip());
            if (attribute.matches()) {
                attributes.put(attribute.group(1), attribute.group(2));
            }
        }
        return attributes;
    }

    private static List<Setting> settings(String list) {
        return Stream.of(list.split(",")).filter(text -> !text.isBlank()).map(Setting::of).toList();
    }

    /**
     * What one bundle declares; a jar that is no device bundle declares nothing.
     *
     * @throws ZipException the file is no jar, or not whole
     */
    public static DeviceKinds declaredBy(Path jar) throws IOException {
        return declared(headerOfWhole(jar));
    }

    /** Whether a kind has a setting of that name, or may have: not all say what they have. */
    public boolean mayHave(String kind, String setting) {
        return kinds.getOrDefault(kind, List.of()).stream()
                .anyMatch(
                        known ->
                                known.map(
                                                these ->
                                                        these.stream()
                                                                .anyMatch(
                                                                        each ->
                                                                                each.name()
                                                                                        .equals(
                                                                                                setting)))
                                        .orElse(true));
    }

    /**
     * What is wrong with the settings of a kind, by name of the setting; the rest of a sentence
     * that begins with the option.
     */
    public SortedMap<String, String> wrong(String kind, Map<String, String> settings) {
        SortedMap<String, String> wrong = new TreeMap<>();
        mistakes(kind, settings)
                .forEach(
                        mistake ->
                                wrong.merge(
                                        mistake.name(),
                                        mistake.sentence(),
                                        (a, b) -> a + "; " + b));
        return wrong;
    }

    /** The kinds there are. */
    public SortedSet<String> names() {
        return new TreeSet<>(kinds.keySet());
    }

    /**
     * The kinds that may be of PCI devices: all but those that are only offered as parts of a
     * board.
     */
    SortedSet<String> served() {
        return new TreeSet<>(plugged);
    }

    /**
     * What is wrong with a device's settings. Where several bundles offer the kind, any of them may
     * get to serve it: settings are right if they are for one. One that says nothing of its
     * settings leaves them to the device.
     */
    List<Setting.Mistake> mistakes(String kind, Map<String, String> settings) {
        return kinds.getOrDefault(kind, List.of()).stream()
                .map(
                        known ->
                                known.map(these -> Setting.mistakes(kind, these, settings))
                                        .orElse(List.of()))
                .min(Comparator.comparingInt(List::size))
                .orElse(List.of());
    }
}
