package org.backplane.bench;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.backplane.bench.BenchMachine.Places;
import org.backplane.launcher.guest.Guest;
import org.backplane.launcher.tour.ConsoleDialog;
import org.backplane.launcher.tour.TourException;

/**
 * From the start of a process that restores a guest to the first byte of the prompt with which the
 * guest's shell answers an empty line.
 */
final class Restores {
    /** Of busybox' shell in root's home. */
    private static final String PROMPT = "~ # ";

    private static final Duration BOUND = Duration.ofMinutes(5);
    private static final long DISK_BYTES = 16L << 20;

    private final Places places;
    private final Guest guest;

    Restores(Places places, Guest guest) {
        this.places = places;
        this.guest = guest;
    }

    /**
     * Boots a guest to its prompt, keeps it in a snapshot on the file system of the records, and
     * restores it again and again. The snapshot was just written, so it is in the page cache.
     */
    Samples take(int count) throws BenchException, IOException, InterruptedException {
        Path snapshot = places.records().resolve("snapshot");
        Figures.remove(snapshot);
        try {
            snap(snapshot);
            List<Long> times = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                times.add(restore(snapshot));
            }
            return Samples.of(times);
        } finally {
            Figures.remove(snapshot);
        }
    }

    private void snap(Path snapshot) throws BenchException, IOException, InterruptedException {
        Path image = places.folder().resolve("restored.img");
        try (RandomAccessFile disk = new RandomAccessFile(image.toFile(), "rw")) {
            disk.setLength(DISK_BYTES);
        }
        Path socket = places.folder().resolve("restored.sock");
        List<String> words =
                List.of(
                        "--kernel",
                        guest.kernel().toString(),
                        "--initrd",
                        guest.initrd().toString(),
                        "--append",
                        "console=ttyS0 quiet cryptomgr.notests=1",
                        "--memory",
                        "512M",
                        "--cpus",
                        "1",
                        "--disk",
                        image + ",name=" + DiskSlot.NAME,
                        "--console",
                        "unix=" + socket);
        try (BenchMachine machine = BenchMachine.start(places, words)) {
            machine.awaitListening(socket);
            try (ConsoleDialog console =
                    ConsoleDialog.connect(socket, places.records().resolve("restored.log"))) {
                console.await(Pattern.compile(PROMPT), BOUND, "the guest shows no prompt");
                machine.awaitShell();
                machine.shell("vm:snapshot " + snapshot);
            } catch (TourException e) {
                throw new BenchException(e.getMessage());
            }
        }
    }

    /** In nanoseconds. */
    private long restore(Path snapshot) throws BenchException, IOException, InterruptedException {
        Path errors = places.records().resolve("restore.err");
        ProcessBuilder command =
                places.command(
                                List.of(
                                        "run",
                                        "--name",
                                        BenchMachine.NAME,
                                        "--restore",
                                        snapshot.toString()))
                        .redirectError(errors.toFile());
        long began = System.nanoTime();
        Process process = command.start();
        try (InputStream said = process.getInputStream();
                OutputStream typed = process.getOutputStream()) {
            typed.write('\n');
            typed.flush();
            return prompted(said, errors) - began;
        } finally {
            process.destroy();
            process.waitFor(BOUND.toSeconds(), TimeUnit.SECONDS);
        }
    }

    /** When the first byte of a prompt came. */
    private static long prompted(InputStream said, Path errors) throws BenchException, IOException {
        StringBuilder text = new StringBuilder();
        long first = 0;
        while (text.indexOf(PROMPT) < 0) {
            int octet = said.read();
            if (octet < 0) {
                throw new BenchException(
                        "the restored machine ended: " + Files.readString(errors).strip());
            }
            if (octet == PROMPT.charAt(0)) {
                first = System.nanoTime();
            }
            text.append((char) octet);
        }
        return first;
    }
}
