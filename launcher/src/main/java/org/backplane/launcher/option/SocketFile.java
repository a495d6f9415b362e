package org.backplane.launcher.option;

import java.io.IOException;
import java.net.ConnectException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.stream.Stream;

/** What is at the path of a Unix socket. */
enum SocketFile {
    /** A socket that a process has bound. */
    LISTENING,
    /** A socket whose process is gone. */
    STALE,
    /** No socket. */
    OTHER;

    /** Longest path in bytes: {@code sun_path} with its final 0 (unix(7)). */
    static final int MAX_PATH = 107;

    /** The kinds of file in {@code st_mode}, inode(7). */
    private static final int KIND = 0170000;

    private static final int SOCKET = 0140000;

    /** Sockets by the path they were bound to, the last field of a line: proc(5). */
    private static final Path BOUND = Path.of("/proc/net/unix");

    /**
     * Looks at a path, which exists.
     *
     * @throws IOException if nobody can be asked there, for want of permission for example
     */
    static SocketFile look(Path path) throws IOException {
        int mode = (Integer) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
        if (!isSocket(mode)) {
            return OTHER;
        }
        // The table comes first: to connect would take what a console keeps for its next client.
        if (isBound(path)) {
            return LISTENING;
        }
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            return channel.isConnected() ? LISTENING : STALE;
        } catch (ConnectException e) {
            return STALE;
        }
    }

    /** Whether there is a socket at the path, or where a link there leads to. */
    static boolean isOne(Path path) throws IOException {
        return isSocket((Integer) Files.getAttribute(path, "unix:mode"));
    }

    private static boolean isSocket(int mode) {
        return (mode & KIND) == SOCKET;
    }

    private static boolean isBound(Path path) throws IOException {
        if (!Files.isReadable(BOUND)) {
            return false;
        }
        try (Stream<String> lines = Files.lines(BOUND)) {
            return lines.anyMatch(line -> line.endsWith(" " + path));
        }
    }
}
