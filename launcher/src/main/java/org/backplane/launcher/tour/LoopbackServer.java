package org.backplane.launcher.tour;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Locale;
import java.util.Random;
import org.backplane.launcher.guest.Digest;

/**
 * A web server on the host's loopback address that a guest fetches from and sends to; it measures
 * the time between the first byte and the last on its own side. Other hosts do not reach it.
 */
final class LoopbackServer implements AutoCloseable {
    static final String FILE = "/file";
    static final String STREAM = "/stream/";
    static final String SINK = "/sink";

    private static final int FILE_BYTES = 1 << 20;
    private static final int PIECE = 1 << 16;

    private final HttpServer server;
    private final byte[] file = new byte[FILE_BYTES];
    private volatile Transfer last = new Transfer(0, 1);

    /** So many bytes in so long. */
    record Transfer(long bytes, long nanoseconds) {
        String rate() {
            return String.format(Locale.ROOT, "%.1f MB/s", bytes * 1e3 / nanoseconds);
        }
    }

    private LoopbackServer(HttpServer server) {
        this.server = server;
        new Random().nextBytes(file);
        server.createContext(FILE, exchange -> serve(exchange, FILE_BYTES));
        server.createContext(STREAM, this::stream);
        server.createContext(SINK, this::sink);
    }

    /** Starts one on a port that is free. */
    static LoopbackServer start() throws IOException {
        InetAddress loopback = InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
        LoopbackServer server =
                new LoopbackServer(HttpServer.create(new InetSocketAddress(loopback, 0), 0));
        server.server.start();
        return server;
    }

    int port() {
        return server.getAddress().getPort();
    }

    /** SHA-256 of what is at {@link #FILE}. */
    String digest() throws IOException {
        return Digest.of(file);
    }

    int fileBytes() {
        return FILE_BYTES;
    }

    /** The latest that has ended. */
    Transfer last() {
        return last;
    }

    /** {@code /stream/BYTES}. */
    private void stream(HttpExchange exchange) throws IOException {
        String bytes = exchange.getRequestURI().getPath().substring(STREAM.length());
        if (!bytes.matches("\\d{1,12}")) {
            exchange.sendResponseHeaders(404, -1);
            exchange.close();
            return;
        }
        serve(exchange, Long.parseLong(bytes));
    }

    /** The file, again and again. */
    private void serve(HttpExchange exchange, long bytes) throws IOException {
        long start = System.nanoTime();
        exchange.sendResponseHeaders(200, bytes);
        try (OutputStream out = exchange.getResponseBody()) {
            for (long at = 0; at < bytes; at += PIECE) {
                out.write(file, (int) (at % FILE_BYTES), (int) Math.min(PIECE, bytes - at));
            }
        }
        ended(bytes, start);
    }

    private void sink(HttpExchange exchange) throws IOException {
        long start = System.nanoTime();
        long bytes = 0;
        try (InputStream in = exchange.getRequestBody()) {
            byte[] piece = new byte[PIECE];
            for (int n = in.read(piece); n >= 0; n = in.read(piece)) {
                bytes += n;
            }
        }
        ended(bytes, start);
        exchange.sendResponseHeaders(200, -1);
        exchange.close();
    }

    private void ended(long bytes, long start) {
        last = new Transfer(bytes, Math.max(1, System.nanoTime() - start));
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
