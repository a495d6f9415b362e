package org.backplane.remote;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.util.Map;
import java.util.Set;
import org.apache.sshd.common.config.keys.AuthorizedKeyEntry;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.config.keys.PublicKeyEntryResolver;
import org.apache.sshd.server.auth.pubkey.PublickeyAuthenticator;
import org.apache.sshd.server.session.ServerSession;

/**
 * Who may log in: the keys of a file in the format of OpenSSH's authorized_keys (sshd(8)). It is
 * read at every attempt, so that a key that is taken out is out. Lines with options let nobody in:
 * they restrict what a key may do, which this server does not know how to.
 */
final class AuthorizedKeys implements PublickeyAuthenticator {
    private static final Logger LOG = System.getLogger(AuthorizedKeys.class.getName());

    private final Path file;
    private final Object uid;

    AuthorizedKeys(Path file) throws IOException {
        this.file = file;
        this.uid = Files.getAttribute(Path.of("/proc/self"), "unix:uid");
    }

    @Override
    public boolean authenticate(String user, PublicKey key, ServerSession session) {
        try {
            return isTheirs() && contains(key, session);
        } catch (IOException | RuntimeException e) {
            LOG.log(Level.WARNING, "Nobody is let in by SSH: " + file + ": " + e.getMessage(), e);
            return false;
        }
    }

    /** Who may write there lets in whom they like: it has to be this user, or root. */
    private boolean isTheirs() throws IOException {
        Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
        Object owner = Files.getAttribute(file, "unix:uid");
        boolean others =
                permissions.contains(PosixFilePermission.GROUP_WRITE)
                        || permissions.contains(PosixFilePermission.OTHERS_WRITE)
                        || !(owner.equals(0) || owner.equals(uid));
        if (others) {
            LOG.log(
                    Level.WARNING,
                    "Nobody is let in by SSH: {0} has to be yours, or root''s, and no others may write it: chmod go-w.",
                    file);
        }
        return !others;
    }

    private boolean contains(PublicKey key, ServerSession session) throws IOException {
        for (String line : Files.readAllLines(file)) {
            if (matches(line.strip(), key, session)) {
                return true;
            }
        }
        return false;
    }

    private boolean matches(String line, PublicKey key, ServerSession session) {
        if (line.isEmpty() || line.startsWith("#")) {
            return false;
        }
        try {
            AuthorizedKeyEntry entry = AuthorizedKeyEntry.parseAuthorizedKeyEntry(line);
            PublicKey known =
                    entry == null
                            ? null
                            : entry.resolvePublicKey(
                                    session, Map.of(), PublicKeyEntryResolver.IGNORING);
            if (known == null || !KeyUtils.compareKeys(known, key)) {
                return false;
            }
            if (!entry.getLoginOptions().isEmpty()) {
                LOG.log(
                        Level.WARNING,
                        "A key is not let in by SSH: its line in {0} has options, which are not known here.",
                        file);
                return false;
            }
            return true;
        } catch (IOException | GeneralSecurityException | RuntimeException e) {
            // One line that is wrong does not lock the others out.
            LOG.log(Level.DEBUG, () -> "a line of " + file + " is no key: " + e.getMessage());
            return false;
        }
    }
}
