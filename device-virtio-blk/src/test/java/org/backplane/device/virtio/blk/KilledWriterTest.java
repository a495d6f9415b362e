package org.backplane.device.virtio.blk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The process dies by SIGKILL while it writes; what a flush acknowledged must be in the image. */
@Timeout(120)
class KilledWriterTest {
    private static final int FLUSHES = 20;

    @TempDir Path folder;

    @Test
    void whatAFlushAcknowledgedSurvivesTheProcess() throws Exception {
        Path image = Disk.image(folder);
        Process writer =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-cp",
                                System.getProperty("java.class.path"),
                                Writer.class.getName(),
                                image.toString())
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        int acknowledged = 0;
        try (BufferedReader lines =
                new BufferedReader(
                        new InputStreamReader(
                                writer.getInputStream(), StandardCharsets.US_ASCII))) {
            while (acknowledged < FLUSHES) {
                acknowledged = Integer.parseInt(lines.readLine());
            }
        } finally {
            writer.destroyForcibly();
        }
        assertEquals(128 + 9, writer.waitFor());
        byte[] content = Files.readAllBytes(image);
        byte[] expected = new byte[acknowledged * 512];
        Arrays.fill(expected, (byte) 0xff);
        assertArrayEquals(expected, Arrays.copyOf(content, expected.length));
        try (Disk disk = Disk.on(image)) {
            assertEquals(0, disk.read(0, 512).status(), "the lock died with its holder");
        }
    }

    /** Overwrites sector after sector with 0xff, a flush after each. */
    static final class Writer {
        private Writer() {}

        public static void main(String[] arguments) throws Exception {
            byte[] full = new byte[512];
            Arrays.fill(full, (byte) 0xff);
            try (Disk disk = Disk.on(Path.of(arguments[0]))) {
                for (int sector = 0; ; sector++) {
                    int at = sector % Disk.SECTORS;
                    if (disk.write(at, full).status() != 0
                            || disk.request(Disk.header(BlkWire.T_FLUSH, 0), 1).status() != 0) {
                        System.exit(1);
                    }
                    System.out.println(sector + 1);
                }
            }
        }
    }
}
