package org.backplane.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotEquals;
import static org.junit.Assert.assertTrue;
import static org.ops4j.pax.exam.CoreOptions.composite;
import static org.ops4j.pax.exam.CoreOptions.options;
import static org.ops4j.pax.exam.CoreOptions.systemPackages;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.inject.Inject;
import org.backplane.launcher.option.EngineOptions;
import org.backplane.launcher.option.HostLibraries;
import org.backplane.launcher.option.HostMemory;
import org.backplane.launcher.option.PlanReader;
import org.backplane.launcher.option.Problems;
import org.backplane.launcher.option.RunOptions;
import org.backplane.launcher.option.WindowOptions;
import org.backplane.machine.MachineException;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.wiring.BundleRevision;

/**
 * What the launcher judges by the manifests before a start, and what the devices judge when they
 * are plugged, are the same: names, and values at the edges of their types.
 */
@RunWith(PaxExam.class)
public final class SettingsIT {
    /** Types of settings that are for backends which take rights or libraries to try. */
    private static final Set<String> OF_OTHERS = Set.of("interface", "forwards");

    private static final Pattern DESCRIPTION = Pattern.compile("(.+?)(!?)=(.*)");
    private static final Pattern RANGE = Pattern.compile("(\\d+)\\.\\.(\\d+)");
    private static final Pattern TEXT = Pattern.compile("text\\((\\d+)\\)");
    private static final Pattern NAMES = Pattern.compile("there are: ([^.]*)\\.");

    /** A value as written; a device that gets it, apart from its other settings, runs or not. */
    private record Trial(String kind, String name, String value, Map<String, String> others) {
        Map<String, String> settings() {
            Map<String, String> settings = new TreeMap<>(others);
            settings.put(name, value);
            return settings;
        }
    }

    @Inject private BundleContext context;
    private CardMachine rig;
    private Path folder;

    @Configuration
    public Option[] framework() {
        return options(
                composite(CardMachine.framework()),
                Framework.project("device-virtio-blk"),
                Framework.project("device-virtio-net"),
                Framework.project("rng"),
                Framework.project("testdev"),
                systemPackages("org.backplane.launcher.option"));
    }

    @Before
    public void build() throws Exception {
        rig = new CardMachine(context);
        folder = Files.createTempDirectory("settings");
        Files.write(folder.resolve("disk.img"), new byte[1 << 16]);
    }

    @After
    public void clear() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }

    /** What the bundles of the distribution say of the settings of each kind. */
    private Map<String, List<String>> described() {
        Map<String, List<String>> described = new TreeMap<>();
        for (Bundle bundle : context.getBundles()) {
            bundle.adapt(BundleRevision.class)
                    .getDeclaredCapabilities("org.backplane.device")
                    .forEach(
                            capability ->
                                    described.put(
                                            (String) capability.getAttributes().get("kind"),
                                            descriptions(
                                                    capability.getAttributes().get("settings"))));
        }
        return described;
    }

    private static List<String> descriptions(Object settings) {
        return settings instanceof List<?> list
                ? list.stream().map(String.class::cast).toList()
                : List.of();
    }

    private static Matcher parts(String description) {
        Matcher parts = DESCRIPTION.matcher(description);
        assertTrue(description, parts.matches());
        return parts;
    }

    private String disk() {
        return folder.resolve("disk.img").toString();
    }

    /** What a device of the kind cannot be without. */
    private Map<String, String> required(List<String> descriptions) {
        Map<String, String> required = new HashMap<>();
        for (String description : descriptions) {
            Matcher parts = parts(description);
            if (!parts.group(2).isEmpty()) {
                // Of several words the first is one that needs nothing else.
                String type = parts.group(3);
                assertTrue("a value for the others", type.equals("file") || type.contains("|"));
                required.put(parts.group(1), type.equals("file") ? disk() : type.split("\\|")[0]);
            }
        }
        return required;
    }

    /** Values on both sides of what a type takes. */
    private List<String> edges(String type) {
        Matcher range = RANGE.matcher(type);
        if (range.matches()) {
            long least = Long.parseLong(range.group(1));
            long most = Long.parseLong(range.group(2));
            return Stream.concat(
                            Stream.of(least - 1, least, least + 1, most - 1, most, most + 1)
                                    .map(String::valueOf),
                            Stream.of(
                                    "",
                                    "x",
                                    "-1",
                                    "+1",
                                    "0x1",
                                    "1.0",
                                    "00000" + most,
                                    "9".repeat(19)))
                    .toList();
        }
        Matcher text = TEXT.matcher(type);
        if (text.matches()) {
            int most = Integer.parseInt(text.group(1));
            return List.of(
                    "",
                    "!",
                    "~",
                    "a,b",
                    "a b",
                    "\u007f",
                    "\u00e9",
                    "x".repeat(most),
                    "x".repeat(most + 1));
        }
        if (type.contains("|")) {
            return Stream.concat(
                            Arrays.stream(type.split("\\|")),
                            Stream.of("", "|", type, type.toLowerCase(Locale.ROOT) + "x"))
                    .toList();
        }
        return switch (type) {
            case "flag" -> List.of("on", "off", "true", "false", "", "ON", "yes", "1");
            case "address" ->
                    List.of(
                            "0x20000000",
                            "0X20000000",
                            "20000000",
                            "0x7fffffffffffffff",
                            "0x8000000000000000",
                            "0x00000000000000020000000",
                            "",
                            "0x",
                            "-1",
                            "+1",
                            "0x-1",
                            "g",
                            "\uff12\uff10");
            case "mac" ->
                    List.of(
                            "52:54:00:12:34:56",
                            "02:00:00:aB:Cd:ef",
                            "",
                            "52:54:00:12:34",
                            "52-54-00-12-34-56",
                            "00:00:00:00:00:00",
                            "53:54:00:12:34:56",
                            "ff:ff:ff:ff:ff:ff");
            case "interface" -> List.of("tap0", "", "a/b");
            case "forwards" -> List.of("tcp:8022-22", "", "tcp:22");
            case "file" ->
                    List.of(disk(), "", folder.resolve("absent").toString(), folder.toString());
            case "console" ->
                    List.of(
                            "none",
                            "file=" + folder.resolve("out"),
                            "unix=" + folder.resolve("sock"),
                            "",
                            "tty",
                            "file",
                            "file=",
                            "file=" + folder,
                            "file=" + folder.resolve("absent/out"),
                            "unix=" + folder.resolve("s".repeat(120)));
            default -> throw new AssertionError("no values are known for the type " + type);
        };
    }

    /** What a setting needs beside it: some are for one backend of a network only. */
    private Map<String, String> beside(String kind, String name, Map<String, String> required) {
        Map<String, String> all = new HashMap<>(required);
        if (kind.equals("virtio-net") && Set.of("path", "listen").contains(name)) {
            all.put("backend", "socket");
            all.put("path", folder.resolve("peer").toString());
        }
        return all;
    }

    /** The launcher's sentences about {@code --device}; it starts nothing. */
    private List<String> launcher(String kind, Map<String, String> settings) throws IOException {
        String words =
                settings.entrySet().stream()
                        .map(e -> "," + (e.getKey() + "=" + e.getValue()).replace(",", ",,"))
                        .collect(Collectors.joining());
        Problems problems = new Problems();
        new PlanReader(
                        HostMemory.ofThisHost(),
                        HostLibraries.ofThisHost(),
                        Stream.of(
                                        "chipset",
                                        "rng",
                                        "testdev",
                                        "device-virtio-blk",
                                        "device-virtio-net")
                                .map(name -> ProjectBundle.named(name).jar().getParent())
                                .toList(),
                        running -> false)
                .check(
                        new RunOptions(
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.of("64M"),
                                Optional.empty(),
                                List.of(),
                                List.of(),
                                List.of(kind + words),
                                List.of(),
                                Optional.of("none"),
                                Optional.of("settings"),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty(),
                                EngineOptions.NONE,
                                WindowOptions.NONE),
                        problems);
        return problems.sentences();
    }

    /** The device's sentence, if it refuses. */
    private Optional<String> device(String kind, Map<String, String> settings)
            throws MachineException {
        try {
            rig.machine().plug("tried", kind, settings, "the test");
        } catch (MachineException refusal) {
            return Optional.of(refusal.getMessage());
        }
        rig.machine().unplug("tried", true);
        return Optional.empty();
    }

    /** Settings whose value may be one and yet not be free. */
    private static final Set<String> TAKEN_ON_THE_BOARD = Set.of("base", "irq", "aux-irq");

    /** What is not free is the board's word, which names no setting. */
    private boolean refused(Trial trial) throws MachineException {
        return device(trial.kind(), trial.settings())
                .filter(
                        sentence ->
                                !TAKEN_ON_THE_BOARD.contains(trial.name())
                                        || sentence.contains(trial.name() + "=" + trial.value()))
                .isPresent();
    }

    @Test
    public void everyKindOfTheDistributionDescribesItsSettings() {
        Map<String, List<String>> described = described();
        assertEquals(
                Set.of(
                        "acpi-pm",
                        "cmos-rtc",
                        "debug-exit",
                        "goldfish-rtc",
                        "i8042",
                        "ns16550a",
                        "pci-testdev",
                        "power",
                        "virtio-blk",
                        "virtio-net",
                        "virtio-rng"),
                described.keySet());
        described.forEach((kind, settings) -> assertNotEquals(kind, List.of(), settings));
    }

    @Test
    public void devicesKnowTheSettingsThatTheirManifestDescribes() throws Exception {
        for (Map.Entry<String, List<String>> kind : described().entrySet()) {
            Map<String, String> settings = required(kind.getValue());
            settings.put("foo", "1");
            String sentence = device(kind.getKey(), settings).orElse("not refused");
            Matcher names = NAMES.matcher(sentence);
            assertTrue(sentence, names.find());
            Set<String> described = new TreeSet<>();
            kind.getValue().forEach(description -> described.add(parts(description).group(1)));
            assertEquals(
                    kind.getKey(), described, new TreeSet<>(List.of(names.group(1).split(", "))));
            assertEquals(1, launcher(kind.getKey(), settings).size());
        }
    }

    @Test
    public void devicesNeedTheSettingsThatTheirManifestRequires() throws Exception {
        for (Map.Entry<String, List<String>> kind : described().entrySet()) {
            Map<String, String> required = required(kind.getValue());
            assertEquals(Optional.empty(), device(kind.getKey(), required));
            assertEquals(List.of(), launcher(kind.getKey(), required));
            for (String name : required.keySet()) {
                Map<String, String> without = new HashMap<>(required);
                without.remove(name);
                assertTrue(name, device(kind.getKey(), without).isPresent());
                assertEquals(1, launcher(kind.getKey(), without).size());
            }
        }
    }

    @Test
    public void launcherAndDevicesAgreeOnEveryValue() throws Exception {
        List<String> differences = new ArrayList<>();
        for (Map.Entry<String, List<String>> kind : described().entrySet()) {
            Map<String, String> required = required(kind.getValue());
            for (String description : kind.getValue()) {
                Matcher parts = parts(description);
                Set<Boolean> verdicts = new TreeSet<>();
                for (String value : edges(parts.group(3))) {
                    Trial trial =
                            new Trial(
                                    kind.getKey(),
                                    parts.group(1),
                                    value,
                                    beside(kind.getKey(), parts.group(1), required));
                    List<String> told = launcher(trial.kind(), trial.settings());
                    boolean refused = refused(trial);
                    verdicts.add(refused);
                    if (refused == told.isEmpty()) {
                        differences.add(
                                "%s: the device %s, the launcher says %s"
                                        .formatted(trial, refused ? "refuses" : "takes", told));
                    }
                }
                // What is for another backend than the first is wrong whatever it is.
                boolean never = OF_OTHERS.contains(parts.group(3));
                assertEquals(description, never ? Set.of(true) : Set.of(true, false), verdicts);
            }
        }
        assertEquals(String.join("\n", differences), List.of(), differences);
    }
}
