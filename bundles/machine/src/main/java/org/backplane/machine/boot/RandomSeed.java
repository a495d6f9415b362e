package org.backplane.machine.boot;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.backplane.machine.MachineException;

/**
 * Randomness that a kernel begins with, from the host's kernel. Java's own generator has the same
 * source, and searches for its providers first, which takes longer than all else at a boot.
 */
public final class RandomSeed {
    private static final Path SOURCE = Path.of("/dev/urandom");

    private RandomSeed() {}

    /**
     * Takes so many bytes.
     *
     * @throws MachineException the host has no random device
     */
    public static byte[] take(int length) throws MachineException {
        try (InputStream source = Files.newInputStream(SOURCE)) {
            byte[] seed = source.readNBytes(length);
            if (seed.length < length) {
                throw new IOException("it ended");
            }
            return seed;
        } catch (IOException e) {
            throw new MachineException(
                    "The guest's random seed cannot be read from %s: %s; give the host that device."
                            .formatted(SOURCE, e.getMessage()),
                    e);
        }
    }
}
