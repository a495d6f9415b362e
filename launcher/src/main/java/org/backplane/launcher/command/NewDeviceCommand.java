package org.backplane.launcher.command;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.backplane.launcher.ExitStatus;
import org.backplane.launcher.framework.Distribution;
import org.backplane.launcher.framework.Distribution.Group;
import org.backplane.launcher.option.DeviceKinds;
import org.backplane.launcher.option.Problems;
import org.backplane.launcher.vendor.DeviceProject;
import org.backplane.launcher.vendor.DeviceType;
import org.backplane.launcher.vendor.KindName;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code backplane new-device}. */
@picocli.CommandLine.Command(
        name = "new-device",
        sortOptions = false,
        description = "Writes the project of a device bundle that works, to be changed into yours.",
        footer = {
            "",
            "It is a Maven project of its own: mvn package builds and tests it, with what this",
            "distribution offers in its folder maven. docs/adding-a-device.md goes on from there.",
            "",
            "Exit status: 0, 1 failure, 2 bad input.",
            "",
            "Example:",
            "  backplane new-device ~/acme-rng --kind acme-rng --type virtio"
        })
public final class NewDeviceCommand implements Command {
    @Parameters(paramLabel = "DIR", description = "A folder that is empty, or not there yet.")
    private String folder;

    @Option(
            names = "--kind",
            paramLabel = "KIND",
            required = true,
            description = "What the device is called, and a slot of it: acme-rng.")
    private String kind;

    @Option(
            names = "--type",
            paramLabel = "virtio|pci",
            required = true,
            description =
                    "An entropy device that Linux drives, or a PCI function with a few registers.")
    private String type;

    @Override
    public int run(Problems problems) throws IOException {
        Distribution distribution = Distribution.ofThisProcess();
        Optional<Path> place = folder == null ? Optional.empty() : place(problems);
        if (kind != null) {
            judgeKind(distribution, problems);
        }
        Optional<DeviceType> chosen = type == null ? Optional.empty() : DeviceType.named(type);
        if (type != null && chosen.isEmpty()) {
            problems.add("--type", type, "the types are virtio and pci");
        }
        if (!problems.isEmpty()) {
            return ExitStatus.BAD_INPUT;
        }
        DeviceProject project =
                new DeviceProject(
                        new KindName(kind),
                        chosen.orElseThrow(),
                        distribution.repository().toUri().toString(),
                        distribution.version());
        Optional<String> refusal = project.refusal();
        if (refusal.isPresent()) {
            problems.add("--kind", kind, refusal.get() + "; give another name");
            return ExitStatus.BAD_INPUT;
        }
        Path home = place.orElseThrow();
        project.write(home);
        System.out.printf("%s is in %s. Build and test it there with: mvn package%n", kind, home);
        System.out.printf(
                "Then: backplane test-device %s%n", home.resolve("target/" + kind + "-1.0.0.jar"));
        return ExitStatus.OK;
    }

    private Optional<Path> place(Problems problems) throws IOException {
        Path path;
        try {
            path = Path.of(folder).toAbsolutePath().normalize();
        } catch (InvalidPathException e) {
            problems.add("new-device", folder.replace('\0', '?'), "no path: " + e.getReason());
            return Optional.empty();
        }
        if (Files.isDirectory(path) && isEmpty(path)) {
            return Optional.of(path);
        }
        if (Files.exists(path)) {
            problems.add(
                    "new-device",
                    folder,
                    Files.isDirectory(path)
                            ? "the folder is not empty; give one that is, or a new one"
                            : "this is a file; give a folder");
            return Optional.empty();
        }
        return Optional.of(path);
    }

    private static boolean isEmpty(Path folder) throws IOException {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            return !entries.iterator().hasNext();
        }
    }

    private void judgeKind(Distribution distribution, Problems problems) throws IOException {
        Optional<String> remedy = KindName.remedy(kind);
        if (remedy.isPresent()) {
            problems.add("--kind", kind, remedy.get());
        } else if (DeviceKinds.in(List.of(distribution.folder(Group.DEVICE)))
                .names()
                .contains(kind)) {
            problems.add("--kind", kind, "the distribution has that kind; give another name");
        }
    }
}
