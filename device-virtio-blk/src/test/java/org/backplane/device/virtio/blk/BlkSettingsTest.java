package org.backplane.device.virtio.blk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.backplane.device.DeviceException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BlkSettingsTest {
    @TempDir Path folder;

    @Test
    void hasDefaultsForAllButThePath() throws DeviceException {
        assertEquals(
                new BlkSettings(Path.of("x"), false, "disk0", 1, true, false),
                BlkSettings.of("disk0", Map.of("path", "x")));
        assertEquals(
                new BlkSettings(Path.of("x"), true, "S-1", 16, false, false),
                BlkSettings.of(
                        "disk0",
                        Map.of(
                                "path", "x", "ro", "true", "serial", "S-1", "queues", "16",
                                "discard", "off")));
        assertTrue(
                BlkSettings.of("disk0", Map.of("path", "x", "transitional", "on")).transitional());
        assertEquals(
                "a_very_long_name_of_",
                BlkSettings.of("a very long name of a slot", Map.of("path", "x")).serial());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "ro|maybe|ro=maybe is neither on nor off.",
                "discard||discard= is neither on nor off.",
                "queues|0|queues=0 is no number from 1 to 16.",
                "queues|17|queues=17 is no number from 1 to 16.",
                "queues|99999999999|queues=99999999999 is no number from 1 to 16.",
                "queues|-1|queues=-1 is no number from 1 to 16.",
                "serial|a b|serial=a b is not 1 to 20 printable ASCII characters without spaces.",
                "serial|123456789012345678901|serial=123456789012345678901 is not 1 to 20 printable ASCII characters without spaces.",
                "colour|red|virtio-blk has no setting 'colour' (value 'red'); there are: path, ro, serial, queues, discard, transitional.",
                "transitional|1|transitional=1 is neither on nor off."
            })
    void refusesInOneSentence(String name, String value, String sentence) {
        DeviceException refused =
                assertThrows(
                        DeviceException.class,
                        () ->
                                BlkSettings.of(
                                        "disk0",
                                        Map.of("path", "x", name, value == null ? "" : value)));
        assertEquals("Slot 'disk0': " + sentence, refused.getMessage());
    }

    @Test
    void refusesToBeWithoutAPath() {
        DeviceException refused =
                assertThrows(DeviceException.class, () -> BlkSettings.of("disk0", Map.of()));
        assertEquals(
                "Slot 'disk0': a disk needs path=FILE, an image file or a block device.",
                refused.getMessage());
    }

    private static String refusal(Path image, String... settings) throws Exception {
        try (Disk disk = Disk.in(image, settings)) {
            String message = assertThrows(DeviceException.class, disk::create).getMessage();
            assertEquals(List.of(), disk.slot.keptNames());
            return message;
        }
    }

    private Path file(int bytes) throws IOException {
        return Files.write(Files.createTempFile(folder, "disk", ".img"), new byte[bytes]);
    }

    @Test
    void refusesImagesThatAreNoDisk() throws Exception {
        Path absent = folder.resolve("absent");
        assertEquals(
                "Slot 'disk0': path=%s cannot be used: open '%s' for reading and writing: No such file or directory (errno 2)."
                        .formatted(absent, absent),
                refusal(absent));
        Path odd = file(513);
        assertEquals(
                "Slot 'disk0': path=%s has 513 bytes; a disk is a positive multiple of 512."
                        .formatted(odd),
                refusal(odd));
        Path empty = file(0);
        assertEquals(
                "Slot 'disk0': path=%s has 0 bytes; a disk is a positive multiple of 512."
                        .formatted(empty),
                refusal(empty));
        assertEquals(
                "Slot 'disk0': path=%s is neither a file nor a block device; give one of these."
                        .formatted(folder),
                refusal(folder, "ro=on"));
    }

    @Test
    void sharesAnImageAmongReadersOnly() throws Exception {
        Path image = Disk.image(folder);
        try (Disk writer = Disk.on(image)) {
            assertEquals(
                    "Slot 'disk0': path=%s is in use by another virtual machine; stop that one, or give both of them ,ro."
                            .formatted(image),
                    refusal(image));
            assertEquals(
                    "Slot 'disk0': path=%s is in use by another virtual machine; stop that one."
                            .formatted(image),
                    refusal(image, "ro=on"));
        }
        try (Disk reader = Disk.on(image, "ro=on");
                Disk other = Disk.on(image, "ro=on")) {
            assertEquals(0, reader.read(0, 512).status());
            assertEquals(0, other.read(0, 512).status());
            refusal(image);
        }
    }
}
