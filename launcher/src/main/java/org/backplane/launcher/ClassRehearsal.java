package org.backplane.launcher;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.backplane.launcher.guest.SmallestGuest;
import org.backplane.launcher.option.HostLibraries;

/**
 * Starts what a user starts, for a JVM that writes down the classes it loads: the check of this
 * host, and a machine of each architecture, whose guest says one byte and ends. What cannot be had
 * here is left out, as it is for the user. The script runs it once for each JVM and build.
 *
 * <p>Argument: an empty folder.
 */
public final class ClassRehearsal {
    private static final int DISK_BYTES = 1 << 20;

    private ClassRehearsal() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        Path folder = Path.of(arguments[0]);
        Path disk = Files.write(folder.resolve("disk"), new byte[DISK_BYTES]);
        // A machine's end may come before its shell; here that is started too.
        Main.run("check");
        for (SmallestGuest guest : SmallestGuest.values()) {
            run(guest, folder, disk);
        }
        // Threads of bundles that did not stop in time are no reason to stay.
        System.exit(ExitStatus.OK);
    }

    private static void run(SmallestGuest guest, Path folder, Path disk)
            throws IOException, InterruptedException {
        List<String> words = new ArrayList<>(List.of("run", "--name", "rehearsal"));
        words.addAll(List.of("--memory", "64M"));
        words.addAll(guest.words(folder));
        words.addAll(List.of("--disk", disk.toString(), "--device", "virtio-rng,name=rng0"));
        Optional<String> missing = HostLibraries.ofThisHost().whyNoUserNetwork();
        if (missing.isEmpty()) {
            words.addAll(List.of("--net", "user"));
        }
        Main.run(words.toArray(String[]::new));
    }
}
