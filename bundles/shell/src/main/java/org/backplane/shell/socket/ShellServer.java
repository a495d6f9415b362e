package org.backplane.shell.socket;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.backplane.shell.command.ShellException;
import org.backplane.shell.terminal.GogoShell;

/**
 * Serves Gogo over a Unix socket that only its owner can reach. A thread accepts; every client has
 * two of its own, which end with it. Thread-safe.
 */
public final class ShellServer implements AutoCloseable {
    private static final Set<PosixFilePermission> OWNER_ONLY =
            PosixFilePermissions.fromString("rw-------");

    /** More than anybody needs, and few enough that nobody can exhaust the process. */
    private static final int CLIENTS = 64;

    private final System.Logger log = System.getLogger(ShellServer.class.getName());
    private final Path socket;
    private final ServerSocketChannel listening;
    private final GogoShell shell;
    private final Set<ShellClient> clients = new HashSet<>();
    private final AtomicInteger number = new AtomicInteger();
    private boolean closed;

    private ShellServer(Path socket, ServerSocketChannel listening, GogoShell shell) {
        this.socket = socket;
        this.listening = listening;
        this.shell = shell;
    }

    /**
     * Makes the socket and begins to accept. The folder must be its owner's alone: so nobody else
     * can connect between the moment the socket is bound and the one its mode is set.
     *
     * @throws ShellException the folder is open to others, or the socket cannot be made there
     */
    public static ShellServer open(Path socket, GogoShell shell) throws ShellException {
        Path folder = socket.toAbsolutePath().getParent();
        try {
            Set<PosixFilePermission> mode = Files.getPosixFilePermissions(folder);
            String text = PosixFilePermissions.toString(mode);
            if (!text.endsWith("------")) {
                throw new ShellException(
                        "The shell's socket '%s' needs a folder of mode 0700; '%s' has %s."
                                .formatted(socket, folder, text));
            }
            // A socket of an earlier process: the run folder's lock says that it is gone.
            Files.deleteIfExists(socket);
        } catch (IOException unreachable) {
            throw cannotBeMade(socket, unreachable);
        }
        ServerSocketChannel listening = bound(socket);
        ShellServer server = new ShellServer(socket, listening, shell);
        thread("shell-accept", server::accept).start();
        return server;
    }

    private static ServerSocketChannel bound(Path socket) throws ShellException {
        ServerSocketChannel listening = null;
        try {
            listening = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
            listening.bind(UnixDomainSocketAddress.of(socket));
            Files.setPosixFilePermissions(socket, OWNER_ONLY);
            return listening;
        } catch (IOException refused) {
            if (listening != null) {
                try {
                    listening.close();
                } catch (IOException alsoRefused) {
                    refused.addSuppressed(alsoRefused);
                }
            }
            throw cannotBeMade(socket, refused);
        }
    }

    private static ShellException cannotBeMade(Path socket, IOException cause) {
        return new ShellException(
                "The shell's socket '%s' cannot be made: %s.".formatted(socket, cause), cause);
    }

    private static Thread thread(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        // Not the caller's: that may be a command's bundle.
        thread.setContextClassLoader(ShellServer.class.getClassLoader());
        return thread;
    }

    private void accept() {
        try {
            while (true) {
                serve(listening.accept());
            }
        } catch (ClosedChannelException end) {
            log.log(Level.DEBUG, "the shell at {0} is closed", socket);
        } catch (IOException failed) {
            log.log(
                    Level.ERROR,
                    "the shell at '%s' accepts nobody any more".formatted(socket),
                    failed);
        }
    }

    private void serve(SocketChannel channel) {
        ShellClient client = new ShellClient(channel, shell);
        boolean room;
        synchronized (clients) {
            room = !closed && clients.size() < CLIENTS;
            if (room) {
                clients.add(client);
            }
        }
        if (!room) {
            client.turnAway("There are %d sessions; close one.".formatted(CLIENTS));
            return;
        }
        int id = number.incrementAndGet();
        thread("shell-" + id + "-input", client::receive).start();
        thread("shell-" + id, () -> run(client)).start();
    }

    private void run(ShellClient client) {
        try {
            client.run();
        } finally {
            client.close();
            synchronized (clients) {
                clients.remove(client);
            }
        }
    }

    /** Ends every session; commands under way are interrupted and not waited for. */
    @Override
    public void close() {
        Set<ShellClient> last;
        synchronized (clients) {
            closed = true;
            last = Set.copyOf(clients);
        }
        try {
            listening.close();
            Files.deleteIfExists(socket);
        } catch (IOException left) {
            log.log(Level.WARNING, "the shell's socket '%s' is left over".formatted(socket), left);
        }
        last.forEach(ShellClient::close);
    }
}
