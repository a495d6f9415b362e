package org.backplane.launcher.command;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.ZipException;
import org.backplane.launcher.ExitStatus;
import org.backplane.launcher.folder.LogFile;
import org.backplane.launcher.framework.ContractFramework;
import org.backplane.launcher.framework.ContractFramework.Verdict;
import org.backplane.launcher.framework.Distribution;
import org.backplane.launcher.framework.StartException;
import org.backplane.launcher.option.DeviceKinds;
import org.backplane.launcher.option.Problems;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code backplane test-device}. */
@picocli.CommandLine.Command(
        name = "test-device",
        sortOptions = false,
        description =
                "Runs the contract tests against every kind of device that a jar offers, without a"
                        + " guest.",
        footer = {
            "",
            "One line a test: kept, broken with what is wrong, or '-' where a test that it builds on",
            "is broken. docs/adding-a-device.md has a device's way from its first line to here.",
            "",
            "Exit status: 0 all are kept, 1 some are not, 2 bad input.",
            "",
            "Example:",
            "  backplane test-device target/acme-rng-1.0.0.jar --set most=64"
        })
public final class TestDeviceCommand implements Command {
    private static final String ROW = "  %-7s %-29s %s";

    @Parameters(paramLabel = "JAR", description = "The device bundle.")
    private String jar;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "A setting of the kinds that have it. Repeatable.")
    private List<String> settings = new ArrayList<>();

    private int kept;
    private int broken;
    private int notJudged;

    @Override
    public int run(Problems problems) throws IOException {
        Optional<Path> file = jar == null ? Optional.empty() : file(problems);
        Map<String, String> given = given(problems);
        if (file.isEmpty() || !problems.isEmpty()) {
            return ExitStatus.BAD_INPUT;
        }
        DeviceKinds declared;
        try {
            declared = DeviceKinds.declaredBy(file.get());
        } catch (ZipException e) {
            problems.add("test-device", jar, "this is no jar: " + e.getMessage());
            return ExitStatus.BAD_INPUT;
        }
        if (declared.names().isEmpty()) {
            problems.add(
                    "test-device",
                    jar,
                    "its manifest offers no kind of device (Provide-Capability:"
                            + " org.backplane.device;kind=..)");
        } else {
            judgeSettings(declared, given, problems);
        }
        return problems.isEmpty() ? judge(file.get(), declared, given) : ExitStatus.BAD_INPUT;
    }

    /** As for a slot of each kind, that gets those of the settings that it has. */
    private void judgeSettings(DeviceKinds declared, Map<String, String> given, Problems problems) {
        given.forEach(
                (name, value) -> {
                    if (declared.names().stream().noneMatch(kind -> declared.mayHave(kind, name))) {
                        problems.add(
                                "--set",
                                name + "=" + value,
                                "no kind of %s has a setting '%s'".formatted(jar, name));
                    }
                });
        for (String kind : declared.names()) {
            declared.wrong(kind, own(kind, declared, given))
                    .forEach(
                            (name, sentence) -> {
                                if (given.containsKey(name)) {
                                    problems.add("--set", name + "=" + given.get(name), sentence);
                                } else {
                                    problems.add(
                                            "test-device", jar, sentence + "; give it with --set");
                                }
                            });
        }
    }

    private static Map<String, String> own(
            String kind, DeviceKinds declared, Map<String, String> given) {
        Map<String, String> own = new TreeMap<>(given);
        own.keySet().removeIf(name -> !declared.mayHave(kind, name));
        return own;
    }

    private Optional<Path> file(Problems problems) {
        try {
            Path path = Path.of(jar).toAbsolutePath().normalize();
            if (Files.isRegularFile(path)) {
                return Optional.of(path);
            }
            problems.add(
                    "test-device",
                    jar,
                    Files.exists(path) ? "this is no file; give a jar" : "there is no such file");
        } catch (InvalidPathException e) {
            problems.add("test-device", jar.replace('\0', '?'), "no path: " + e.getReason());
        }
        return Optional.empty();
    }

    private Map<String, String> given(Problems problems) {
        Map<String, String> given = new TreeMap<>();
        for (String setting : settings) {
            int sign = setting.indexOf('=');
            if (sign < 1) {
                problems.add("--set", setting, "give it as KEY=VALUE");
            } else if (given.put(setting.substring(0, sign), setting.substring(sign + 1)) != null) {
                problems.add("--set", setting, "the setting is given twice");
            }
        }
        return given;
    }

    private int judge(Path file, DeviceKinds declared, Map<String, String> given)
            throws IOException {
        LogFile.none();
        Path folder = Files.createTempDirectory("backplane-test-device-");
        try (UntimelyEnd end =
                        new UntimelyEnd(jar, "it was started", () -> deleteAtTheEnd(folder));
                ContractFramework framework =
                        new ContractFramework(Distribution.ofThisProcess(), folder, file)) {
            offersWhatItDeclares(framework.kinds(), declared, System.out);
            for (String kind : framework.kinds()) {
                System.out.println(kind);
                framework.judge(
                        kind,
                        own(kind, declared, given),
                        clause ->
                                end.doing("the clause %s of %s was judged".formatted(clause, kind)),
                        verdict -> tell(verdict, System.out));
            }
            end.doing("it was stopped");
            System.out.printf("%d kept, %d broken, %d not judged%n", kept, broken, notJudged);
            return broken == 0 && notJudged == 0 ? ExitStatus.OK : ExitStatus.FAILED;
        } catch (StartException e) {
            e.sentences().forEach(sentence -> System.err.println("backplane: " + sentence));
            return ExitStatus.FAILED;
        } finally {
            delete(folder);
        }
    }

    /** The manifest and the services say the same: slots go by the one, factories by the other. */
    private void offersWhatItDeclares(List<String> offered, DeviceKinds declared, PrintStream out) {
        for (String kind : declared.names()) {
            if (!offered.contains(kind)) {
                tell(
                        new Verdict(
                                "BROKEN",
                                "offersWhatItDeclares",
                                "the manifest declares the kind '%s', and no factory has it"
                                        .formatted(kind)),
                        out);
            }
        }
        for (String kind : offered) {
            if (!declared.names().contains(kind)) {
                tell(
                        new Verdict(
                                "BROKEN",
                                "offersWhatItDeclares",
                                "a factory has the kind '%s', which the manifest does not declare"
                                        .formatted(kind)),
                        out);
            }
        }
    }

    private void tell(Verdict verdict, PrintStream out) {
        String word;
        switch (verdict.outcome()) {
            case "KEPT" -> {
                word = "kept";
                kept++;
            }
            case "BROKEN" -> {
                word = "broken";
                broken++;
            }
            default -> {
                word = "-";
                notJudged++;
            }
        }
        out.println(ROW.formatted(word, verdict.clause(), verdict.sentence()).stripTrailing());
    }

    private static void deleteAtTheEnd(Path folder) {
        try {
            delete(folder);
        } catch (IOException e) {
            System.err.printf("backplane: %s stays: %s%n", folder, e);
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
