package org.backplane.remote;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.util.Iterator;
import java.util.Set;
import org.apache.sshd.common.NamedResource;
import org.apache.sshd.common.config.keys.FilePasswordProvider;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.config.keys.writer.openssh.OpenSSHKeyPairResourceWriter;
import org.apache.sshd.common.keyprovider.KeyPairProvider;
import org.apache.sshd.common.util.security.SecurityUtils;

/**
 * The key by which clients know this host: Ed25519, in OpenSSH's format, in a file that only its
 * owner can read. It is made once and kept, so that clients do not get used to a change.
 */
final class HostKey {
    private static final String OWNER_ONLY = "rw-------";

    private HostKey() {}

    /** The key in a file, which is made if there is none. */
    static KeyPair in(Path file) throws RemoteException {
        try {
            if (!Files.exists(file)) {
                make(file);
            }
            return read(file);
        } catch (IOException | GeneralSecurityException e) {
            throw new RemoteException(
                    "The host's key for SSH in '%s' cannot be used: %s; remove the file and another is made."
                            .formatted(file, e.getMessage()),
                    e);
        }
    }

    private static KeyPair read(Path file) throws IOException, GeneralSecurityException {
        Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
        if (!PosixFilePermissions.fromString(OWNER_ONLY).containsAll(permissions)) {
            throw new IOException("its mode lets others at it");
        }
        try (InputStream in = Files.newInputStream(file)) {
            Iterable<KeyPair> keys =
                    SecurityUtils.loadKeyPairIdentities(
                            null,
                            NamedResource.ofName(file.toString()),
                            in,
                            FilePasswordProvider.EMPTY);
            Iterator<KeyPair> first = keys == null ? null : keys.iterator();
            if (first == null || !first.hasNext()) {
                throw new IOException("there is no key in it");
            }
            return first.next();
        }
    }

    /** Whole or not at all, and readable by nobody else from the first byte on. */
    private static void make(Path file) throws IOException, GeneralSecurityException {
        Files.createDirectories(file.getParent());
        KeyPair key = KeyUtils.generateKeyPair(KeyPairProvider.SSH_ED25519, 256);
        Path part =
                Files.createTempFile(
                        file.getParent(),
                        "host-key",
                        ".part",
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString(OWNER_ONLY)));
        try (OutputStream out =
                Channels.newOutputStream(Files.newByteChannel(part, StandardOpenOption.WRITE))) {
            OpenSSHKeyPairResourceWriter.INSTANCE.writePrivateKey(key, "backplane", null, out);
        }
        try {
            // A machine that starts beside this one may have made another: the first stays.
            Files.createLink(file, part);
        } catch (FileAlreadyExistsException e) {
            return;
        } catch (UnsupportedOperationException e) {
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(part);
        }
    }
}
