package org.backplane.launcher.dev;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;

/**
 * A machine's shell with answers that were given to it. A {@code %s} is the command's last word.
 */
final class ShellStandIn implements AutoCloseable {
    private static final String EXECUTE = "exec ";

    private final Path socket;
    private final ServerSocketChannel server;
    private final Map<String, String> answers = new ConcurrentHashMap<>();
    private final List<String> asked = new CopyOnWriteArrayList<>();
    private final List<SocketChannel> clients = new ArrayList<>();
    private final CountDownLatch connected = new CountDownLatch(1);
    private boolean closed;

    ShellStandIn(Path socket) throws IOException {
        this.socket = socket;
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(socket));
        start(this::accept);
    }

    /** Answers every command that begins so. */
    void answer(String command, int status, String text) {
        answers.put(command, text + "\0status " + status + "\n");
    }

    /** The commands so far. */
    List<String> asked() {
        return asked;
    }

    void awaitSilentClient() throws InterruptedException {
        connected.await();
    }

    private interface Work {
        void run() throws IOException;
    }

    private static void start(Work work) {
        Thread thread =
                new Thread(
                        () -> {
                            try {
                                work.run();
                            } catch (ClosedChannelException e) {
                                return;
                            } catch (IOException e) {
                                throw new UncheckedIOException(e);
                            }
                        });
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() throws IOException {
        while (true) {
            SocketChannel client = server.accept();
            synchronized (clients) {
                if (closed) {
                    client.close();
                }
                clients.add(client);
            }
            connected.countDown();
            start(() -> serve(client));
        }
    }

    private void serve(SocketChannel client) throws IOException {
        try (client;
                BufferedReader lines =
                        new BufferedReader(Channels.newReader(client, StandardCharsets.UTF_8))) {
            String line = lines.readLine();
            if (line == null) {
                return;
            }
            String command = line.substring(EXECUTE.length());
            asked.add(command);
            String answer =
                    answers.entrySet().stream()
                            .filter(entry -> command.startsWith(entry.getKey()))
                            .map(Map.Entry::getValue)
                            .findFirst()
                            .orElse("There is no answer to that.\n\0status 1\n");
            String last = command.substring(command.lastIndexOf(' ') + 1);
            client.write(StandardCharsets.UTF_8.encode(answer.replace("%s", last)));
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        Files.deleteIfExists(socket);
        synchronized (clients) {
            closed = true;
            for (SocketChannel client : clients) {
                client.close();
            }
        }
    }
}
