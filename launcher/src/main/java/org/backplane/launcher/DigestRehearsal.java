package org.backplane.launcher;

import java.io.IOException;
import java.io.InputStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * Reads the beginning of a snapshot's memory and forgets its digest. The machine will compute the
 * digests of all of it before its guest runs, with code that the JVM has to compile first; here
 * that is done while the framework starts, and before the processor's code, which takes the
 * compiler long, stands in the queue.
 */
final class DigestRehearsal {
    private static final Logger LOG = System.getLogger(DigestRehearsal.class.getName());

    /** More than it takes until the code is compiled. */
    private static final int LENGTH = 12 << 20;

    private static final int PIECE = 1 << 18;

    private DigestRehearsal() {}

    /** Begins, on a thread of its own. */
    static void begin(Path snapshot) {
        Thread thread = new Thread(() -> read(snapshot.resolve("memory")), "digest-rehearsal");
        thread.setDaemon(true);
        thread.start();
    }

    private static void read(Path memory) {
        try (InputStream in = Files.newInputStream(memory)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            byte[] piece = new byte[PIECE];
            int length = in.read(piece);
            for (int read = 0; length > 0 && read < LENGTH; read += length) {
                digest.update(piece, 0, length);
                length = in.read(piece);
            }
        } catch (IOException | NoSuchAlgorithmException e) {
            // Whoever needs the file, or the digest, says so to the user.
            LOG.log(Level.DEBUG, "no rehearsal of " + memory, e);
        }
    }
}
