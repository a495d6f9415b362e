package org.backplane.bench;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.backplane.launcher.guest.CpioArchive;

/** An initramfs with a program more: Linux unpacks one archive after the other. */
final class ExtendedInitrd {
    private ExtendedInitrd() {}

    /**
     * Writes one.
     *
     * @param path of the program in the guest
     */
    static void write(Path initrd, Path program, String path, Path target) throws IOException {
        Files.copy(initrd, target);
        try (OutputStream end = Files.newOutputStream(target, StandardOpenOption.APPEND);
                CpioArchive archive = new CpioArchive(end)) {
            archive.file(path, 0755, Files.readAllBytes(program));
        }
    }
}
