package org.backplane.remote;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.io.nio2.Nio2ServiceFactoryFactory;
import org.apache.sshd.common.keyprovider.KeyPairProvider;
import org.apache.sshd.core.CoreModuleProperties;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.auth.pubkey.UserAuthPublicKeyFactory;
import org.apache.sshd.server.channel.ChannelSessionFactory;
import org.apache.sshd.server.forward.RejectAllForwardingFilter;
import org.apache.sshd.server.session.SessionFactory;
import org.backplane.machine.terminal.TerminalShell;

/**
 * Listens for logins. Public keys only, session channels only, and in them the machine's shell
 * only; which user is named does not matter. Thread-safe.
 */
final class LoginServer implements AutoCloseable {
    private static final Logger LOG = System.getLogger(LoginServer.class.getName());
    private static final Duration TO_LOG_IN = Duration.ofSeconds(30);
    private static final int ATTEMPTS = 8;

    /** A client that went without a word is taken for gone after three of these. */
    private static final Duration HEARTBEAT = Duration.ofSeconds(20);

    private static final int HEARTBEATS_MISSED = 3;
    private static final int CHANNELS = 10;

    private final SshServer server;
    private final String fingerprint;
    private final Path told;

    private LoginServer(SshServer server, String fingerprint, Path told) {
        this.server = server;
        this.fingerprint = fingerprint;
        this.told = told;
    }

    /**
     * Listens from now on.
     *
     * @param shells the shell as far as there is one
     */
    static LoginServer open(RemoteSettings settings, Supplier<Optional<TerminalShell>> shells)
            throws RemoteException {
        KeyPair hostKey = HostKey.in(settings.hostKey());
        SshServer server = SshServer.setUpDefaultServer();
        server.setIoServiceFactoryFactory(new Nio2ServiceFactoryFactory());
        server.setHost(settings.address());
        server.setPort(settings.port());
        server.setKeyPairProvider(KeyPairProvider.wrap(hostKey));
        server.setUserAuthFactories(List.of(UserAuthPublicKeyFactory.INSTANCE));
        server.setChannelFactories(List.of(ChannelSessionFactory.INSTANCE));
        server.setGlobalRequestHandlers(List.of());
        server.setForwardingFilter(RejectAllForwardingFilter.INSTANCE);
        server.setSubsystemFactories(List.of());
        server.setShellFactory(channel -> new ShellChannel(shells, Optional.empty()));
        server.setCommandFactory(
                (channel, command) -> new ShellChannel(shells, Optional.of(command)));
        limit(server);
        server.setSessionFactory(new SessionFactory(server));
        try {
            server.setPublickeyAuthenticator(new AuthorizedKeys(settings.keys()));
            server.start();
            LoginServer login =
                    new LoginServer(
                            server, KeyUtils.getFingerPrint(hostKey.getPublic()), settings.told());
            Files.writeString(settings.told(), login.address() + "\n");
            LOG.log(
                    Level.INFO,
                    "logins by SSH at {0}, host key {1}",
                    login.address(),
                    login.fingerprint);
            return login;
        } catch (IOException e) {
            throw new RemoteException(
                    "Logins by SSH cannot be offered at %s:%d: %s; give another address or port."
                            .formatted(settings.address(), settings.port(), e.getMessage()),
                    e);
        }
    }

    private static void limit(SshServer server) {
        CoreModuleProperties.AUTH_TIMEOUT.set(server, TO_LOG_IN);
        CoreModuleProperties.MAX_AUTH_REQUESTS.set(server, ATTEMPTS);
        CoreModuleProperties.MAX_CONCURRENT_CHANNELS.set(server, CHANNELS);
        CoreModuleProperties.IDLE_TIMEOUT.set(server, Duration.ZERO);
        CoreModuleProperties.HEARTBEAT_INTERVAL.set(server, HEARTBEAT);
        CoreModuleProperties.HEARTBEAT_NO_REPLY_MAX.set(server, HEARTBEATS_MISSED);
    }

    /** Address and port that are listened at, {@code 127.0.0.1:2222}. */
    String address() {
        InetSocketAddress bound = (InetSocketAddress) server.getBoundAddresses().iterator().next();
        String host = bound.getAddress().getHostAddress();
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + bound.getPort();
    }

    /** Of the host's key, as ssh shows it: {@code SHA256:..}. */
    String fingerprint() {
        return fingerprint;
    }

    /** Ends every login. */
    @Override
    public void close() {
        try {
            server.stop(true);
            Files.deleteIfExists(told);
        } catch (IOException e) {
            LOG.log(Level.WARNING, "logins by SSH did not end as they should", e);
        }
    }
}
