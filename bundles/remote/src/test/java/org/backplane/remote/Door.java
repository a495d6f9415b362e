package org.backplane.remote;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.time.Duration;
import java.util.Optional;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.config.keys.PublicKeyEntry;
import org.apache.sshd.common.config.keys.writer.openssh.OpenSSHKeyPairResourceWriter;
import org.apache.sshd.common.keyprovider.KeyPairProvider;

/** A server at a free port of the loopback, with a key that it lets in. */
final class Door implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofSeconds(60);

    final PlayedShell shell = new PlayedShell();
    final KeyPair friend;
    final RemoteSettings settings;
    final LoginServer server;
    final SshClient client = SshClient.setUpDefaultClient();

    Door(Path folder) throws Exception {
        friend = key();
        settings =
                new RemoteSettings(
                        "127.0.0.1",
                        0,
                        folder.resolve("keys"),
                        folder.resolve("state/host_key"),
                        folder.resolve("ssh"));
        letIn(PublicKeyEntry.toString(friend.getPublic()) + " friend\n");
        server = LoginServer.open(settings, () -> Optional.of(shell));
        client.setKeyIdentityProvider(null);
        client.start();
    }

    static KeyPair key() throws Exception {
        return KeyUtils.generateKeyPair(KeyPairProvider.SSH_ED25519, 256);
    }

    void letIn(String lines) throws IOException {
        Files.writeString(settings.keys(), lines);
        Files.setPosixFilePermissions(
                settings.keys(), PosixFilePermissions.fromString("rw-r--r--"));
    }

    int port() {
        return Integer.parseInt(server.address().replaceAll(".*:", ""));
    }

    /** A connection that has not logged in. */
    ClientSession connect() throws IOException {
        return client.connect("anybody", new InetSocketAddress("127.0.0.1", port()))
                .verify(PATIENCE)
                .getSession();
    }

    ClientSession login(KeyPair key) throws IOException {
        ClientSession session = connect();
        session.addPublicKeyIdentity(key);
        session.auth().verify(PATIENCE);
        return session;
    }

    /** Writes a private key as ssh reads it. */
    static Path write(KeyPair key, Path file) throws Exception {
        Files.createFile(
                file,
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        try (OutputStream out = Files.newOutputStream(file)) {
            OpenSSHKeyPairResourceWriter.INSTANCE.writePrivateKey(key, "test", null, out);
        }
        return file;
    }

    @Override
    public void close() {
        client.stop();
        server.close();
    }
}
