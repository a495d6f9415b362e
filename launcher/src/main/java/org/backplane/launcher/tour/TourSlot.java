package org.backplane.launcher.tour;

import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A slot of a tour's machine that other builds of its bundle are swapped into. */
final class TourSlot {
    private final TourMachine machine;
    private final String name;
    private final Path bundle;
    private final Pattern line;

    /**
     * @param bundle jar of the bundle that fills the slot
     */
    TourSlot(TourMachine machine, String name, String kind, Path bundle) {
        this.machine = machine;
        this.name = name;
        this.bundle = bundle;
        this.line =
                Pattern.compile(
                        "^"
                                + Pattern.quote(name)
                                + "\\s+"
                                + Pattern.quote(kind)
                                + "\\s+running\\s+\\S+\\s+\\S+ (\\S+) \\[(\\d+)]",
                        Pattern.MULTILINE);
    }

    /** Finds the slot, running, in the list of slots. */
    Pattern line() {
        return line;
    }

    String name() {
        return name;
    }

    /** The same bundle under another version. */
    Path build(String version) throws IOException {
        return build(version, (entry, content) -> content);
    }

    Path build(String version, NewBuild.Edit edit) throws IOException {
        String module = bundle.getFileName().toString().replaceFirst("-\\d.*", "");
        Path jar = machine.folder().resolve(module + "-" + version + ".jar");
        NewBuild.write(bundle, version, jar, edit);
        return jar;
    }

    /** Swaps beside; has to succeed. */
    void swap(Path jar) throws TourException, IOException {
        machine.shell("vm:swap " + name + " " + jar);
    }

    /** The number of the bundle that fills the slot. */
    String bundleId() throws TourException, IOException {
        return filling().group(2);
    }

    void expectVersion(String version) throws TourException, IOException {
        String now = filling().group(1);
        if (!now.equals(version)) {
            throw new TourException(name + " is filled by version " + now + ", not " + version);
        }
    }

    private Matcher filling() throws TourException, IOException {
        String slots = machine.shell("vm:slots");
        Matcher matcher = line.matcher(slots);
        if (!matcher.find()) {
            throw new TourException(name + " is not running: " + slots.strip());
        }
        return matcher;
    }
}
