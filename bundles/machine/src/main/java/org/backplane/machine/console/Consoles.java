package org.backplane.machine.console;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.backplane.machine.MachineException;
import org.backplane.machine.board.LeaseStack;
import org.backplane.machine.processor.MachineThread;

/**
 * The consoles of a machine by what names them: {@code stdio}, {@code none}, {@code file=PATH},
 * {@code unix=PATH}. Each is opened once, and closed with the machine: a device that comes back
 * finds it as it was.
 */
public final class Consoles implements AutoCloseable {
    private static final Logger LOG = System.getLogger(Consoles.class.getName());
    private static final String FILE = "file=";
    private static final String UNIX = "unix=";
    private static final String HELP =
            "Ctrl-A h  this help\r\n"
                    + "Ctrl-A s  the shell, or back to the guest's console\r\n"
                    + "Ctrl-A x  end the virtual machine\r\n"
                    + "Ctrl-A Ctrl-A  Ctrl-A";

    private final Runnable end;
    private final ShellSource shells;
    private final LeaseStack leases = new LeaseStack("consoles");
    private final Map<String, HostConsole> open = new LinkedHashMap<>();

    /**
     * @param end what Ctrl-A x does
     * @param shells what Ctrl-A s shows
     */
    public Consoles(Runnable end, ShellSource shells) {
        this.end = end;
        this.shells = shells;
    }

    /** Opens a console that the command line names, so that its faults are told at the start. */
    public void open(String name) throws MachineException {
        try {
            get(name);
        } catch (UncheckedIOException e) {
            throw new MachineException(e.getMessage(), e);
        }
    }

    /** The console of that name, opened now if it is not yet. */
    public synchronized HostConsole get(String name) {
        return open.computeIfAbsent(name, this::make);
    }

    private HostConsole make(String name) {
        try {
            HostConsole console;
            if (name.equals("stdio")) {
                console = stdio();
            } else if (name.startsWith(FILE)) {
                OutputStream out = new FileOutputStream(name.substring(FILE.length()));
                console =
                        new HostConsole(name, (bytes, length) -> out.write(bytes, 0, length), out);
            } else if (name.startsWith(UNIX)) {
                console = unix(name, Path.of(name.substring(UNIX.length())));
            } else if (name.equals("none")) {
                console = new HostConsole(name, (bytes, length) -> {}, () -> {});
            } else {
                throw new IOException("no console is called that");
            }
            return leases.push(name, console);
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "console=%s cannot be opened: %s; give stdio, none, file=PATH or unix=PATH"
                            .formatted(name, e.getMessage()),
                    e);
        }
    }

    private HostConsole stdio() {
        // The descriptor itself: the terminal is raw and System.out would translate.
        var out = new LinedOutput(new FileOutputStream(java.io.FileDescriptor.out));
        // What is typed before the console is made waits in the host's own buffer.
        var made = new CompletableFuture<HostConsole>();
        var terminal = new SharedTerminal(out, octet -> made.join().arrived(octet), shells);
        var console =
                new HostConsole(
                        "stdio",
                        terminal::show,
                        // The host's prompt begins on a line of its own; a file has none.
                        isTerminal() ? out::endLine : () -> {});
        made.complete(console);
        var keys =
                new EscapeKeys(
                        terminal::typed,
                        new EscapeKeys.Actions() {
                            @Override
                            public void end() {
                                end.run();
                            }

                            @Override
                            public void help() {
                                terminal.say(HELP);
                            }

                            @Override
                            public void toggle() {
                                terminal.toggle();
                            }
                        });
        new MachineThread("console/keyboard", () -> pump(System.in, keys)).start();
        return console;
    }

    private static boolean isTerminal() {
        try {
            Path output = Files.readSymbolicLink(Path.of("/proc/self/fd/1"));
            return output.startsWith("/dev") && !output.equals(Path.of("/dev/null"));
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "what standard output is cannot be seen", e);
            return false;
        }
    }

    private static void pump(InputStream in, EscapeKeys keys) {
        try {
            for (int octet = in.read(); octet >= 0; octet = in.read()) {
                keys.typed(octet);
            }
        } catch (IOException e) {
            System.getLogger(Consoles.class.getName())
                    .log(System.Logger.Level.INFO, "The keyboard is gone: {0}", e.getMessage());
        }
    }

    private static HostConsole unix(String name, Path path) throws IOException {
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            Files.deleteIfExists(path);
            server.bind(UnixDomainSocketAddress.of(path));
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
        } catch (IOException e) {
            server.close();
            throw e;
        }
        var line = new UnixLine(server, path);
        var console = new HostConsole(name, line::write, line);
        new MachineThread("console/" + name + "/input", () -> line.serve(console)).start();
        return console;
    }

    @Override
    public void close() {
        leases.close();
    }

    /** One peer at a time on a listening socket; output waits for the first one to come. */
    private static final class UnixLine implements AutoCloseable {
        private final ServerSocketChannel server;
        private final Path path;
        private SocketChannel peer;
        private boolean closed;

        UnixLine(ServerSocketChannel server, Path path) {
            this.server = server;
            this.path = path;
        }

        void serve(HostConsole console) {
            var buffer = ByteBuffer.allocate(512);
            try {
                for (; ; ) {
                    SocketChannel accepted = server.accept();
                    synchronized (this) {
                        peer = accepted;
                        notifyAll();
                    }
                    receive(accepted, buffer, console);
                    synchronized (this) {
                        peer = null;
                    }
                    accepted.close();
                }
            } catch (IOException e) {
                // The socket was closed with the machine; a peer's faults end in receive.
                synchronized (this) {
                    closed = true;
                    notifyAll();
                }
            }
        }

        private static void receive(SocketChannel from, ByteBuffer buffer, HostConsole console) {
            try {
                while (from.read(buffer.clear()) >= 0) {
                    buffer.flip();
                    while (buffer.hasRemaining()) {
                        console.arrived(buffer.get() & 0xff);
                    }
                }
            } catch (IOException e) {
                System.getLogger(Consoles.class.getName())
                        .log(System.Logger.Level.DEBUG, "console peer left: {0}", e.getMessage());
            }
        }

        void write(byte[] bytes, int length) throws IOException {
            SocketChannel to;
            synchronized (this) {
                while (peer == null && !closed) {
                    try {
                        wait();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                        throw new IOException("interrupted", e);
                    }
                }
                if (closed) {
                    throw new IOException("closed");
                }
                to = peer;
            }
            try {
                ByteBuffer buffer = ByteBuffer.wrap(bytes, 0, length);
                while (buffer.hasRemaining()) {
                    to.write(buffer);
                }
            } catch (IOException e) {
                // A peer that hangs up loses what it had not read; the line itself goes on.
                to.close();
            }
        }

        @Override
        public void close() throws IOException {
            synchronized (this) {
                closed = true;
                notifyAll();
                if (peer != null) {
                    peer.close();
                }
            }
            server.close();
            Files.deleteIfExists(path);
        }
    }
}
