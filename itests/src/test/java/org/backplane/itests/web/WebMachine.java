package org.backplane.itests.web;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.backplane.itests.Backplane;

/** A machine of the distribution with {@code --web}, and requests as they are on the wire. */
final class WebMachine implements AutoCloseable {
    private static final String LOOPBACK = "127.0.0.1";

    /** Also this host, and not who the operator is: wrong tokens hold back their address. */
    static final String NEIGHBOUR = "127.0.0.2";

    private static final Pattern PRINTED =
            Pattern.compile("backplane: the web page is at (http://\\S+:(\\d+))/\\?token=(\\S+)");

    private final Backplane machine;
    private final URI base;
    private final String token;

    /** An answer. */
    record Answer(int status, String head, String body) {
        Optional<String> header(String name) {
            Matcher line = Pattern.compile("(?im)^" + name + ": (.*)$").matcher(head);
            return line.find() ? Optional.of(line.group(1).strip()) : Optional.empty();
        }
    }

    private WebMachine(Backplane machine) throws IOException {
        this.machine = machine;
        machine.waitUntil(() -> PRINTED.matcher(told()).find());
        Matcher printed = PRINTED.matcher(told());
        if (!printed.find()) {
            throw new AssertionError(told());
        }
        base = URI.create(printed.group(1));
        token = printed.group(3);
    }

    static WebMachine run(Path folder, String where, String... options) throws Exception {
        List<String> all = new ArrayList<>(List.of("--web", where));
        all.addAll(List.of(options));
        return new WebMachine(Backplane.run(folder, Map.of(), all));
    }

    private String told() {
        try {
            return machine.told();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getByName(LOOPBACK))) {
            return socket.getLocalPort();
        }
    }

    URI base() {
        return base;
    }

    int port() {
        return base.getPort();
    }

    String token() {
        return token;
    }

    Path runFolder() {
        return machine.runFolder();
    }

    Backplane machine() {
        return machine;
    }

    String bearer() {
        return "Authorization: Bearer " + token;
    }

    Answer get(String path, String... headers) throws IOException {
        return send(port(), LOOPBACK, "GET", path, new byte[0], headers);
    }

    Answer post(String path, byte[] body, String... headers) throws IOException {
        return send(port(), LOOPBACK, "POST", path, body, headers);
    }

    /**
     * @param from address of this host that it comes from
     * @param headers whole lines; Host is added if there is none
     */
    static Answer send(
            int port, String from, String method, String path, byte[] body, String... headers)
            throws IOException {
        try (var socket = new Socket()) {
            socket.bind(new InetSocketAddress(from, 0));
            socket.connect(new InetSocketAddress(LOOPBACK, port));
            var head = new StringBuilder("%s %s HTTP/1.1\r\n".formatted(method, path));
            if (List.of(headers).stream().noneMatch(header -> header.startsWith("Host:"))) {
                head.append("Host: %s:%d\r\n".formatted(LOOPBACK, port));
            }
            for (String header : headers) {
                head.append(header).append("\r\n");
            }
            if (method.equals("POST")) {
                head.append("Content-Length: %d\r\n".formatted(body.length));
            }
            head.append("Connection: close\r\n\r\n");
            var request = new ByteArrayOutputStream();
            request.writeBytes(head.toString().getBytes(StandardCharsets.UTF_8));
            request.writeBytes(body);
            socket.getOutputStream().write(request.toByteArray());
            return answer(
                    new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
        }
    }

    private static Answer answer(String whole) throws IOException {
        Matcher status = Pattern.compile("HTTP/1\\.1 (\\d{3})").matcher(whole);
        int end = whole.indexOf("\r\n\r\n");
        if (!status.lookingAt() || end < 0) {
            throw new IOException("no answer of HTTP: " + whole);
        }
        return new Answer(
                Integer.parseInt(status.group(1)),
                whole.substring(0, end),
                whole.substring(end + 4));
    }

    /** The number that the framework gave a bundle. */
    int bundle(String symbolicName) throws IOException {
        String list = get("/system/console/bundles.json", bearer()).body();
        Matcher found =
                Pattern.compile(
                                "\"id\":(\\d+),\"name\":\"[^\"]*\",[^}]*\"symbolicName\":\"%s\""
                                        .formatted(Pattern.quote(symbolicName)))
                        .matcher(list);
        if (!found.find()) {
            throw new AssertionError("no bundle " + symbolicName + ": " + list);
        }
        return Integer.parseInt(found.group(1));
    }

    static Path folder() throws IOException {
        return Files.createTempDirectory("bp");
    }

    @Override
    public void close() throws IOException, InterruptedException {
        machine.close();
    }
}
