package org.backplane.launcher.option;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Judges the settings of the networks of a command line, each by itself and against the others: no
 * two may have the same hardware address, the same tap or the same port of the host.
 */
final class Networks {
    static final String KIND = "virtio-net";

    static final String BACKEND = "backend";
    static final String USER = "user";
    static final String TAP = "tap";
    static final String SOCKET = "socket";
    static final String NONE = "none";

    static final String INTERFACE = "if";
    static final String PATH = "path";
    static final String HOST_FORWARD = "hostfwd";
    private static final String MAC = "mac";
    private static final String LISTEN = "listen";

    /** Which settings only one backend has. */
    private static final Map<String, String> OWNERS =
            Map.of(INTERFACE, TAP, PATH, SOCKET, LISTEN, SOCKET, HOST_FORWARD, USER);

    /** What a backend cannot do without, and how it is written. */
    private static final Map<String, String> NEEDS = Map.of(TAP, INTERFACE, SOCKET, PATH);

    /** Linux, {@code include/uapi/linux/if.h}: IFNAMSIZ, with the final 0. */
    private static final int INTERFACE_NAME_SIZE = 16;

    private static final Pattern MAC_ADDRESS =
            Pattern.compile("[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}");

    private static final String ADDRESS = "(?:(?:\\d{1,3}\\.){3}\\d{1,3}:)?";
    private static final Pattern FORWARD =
            Pattern.compile(
                    "(?<what>(?:tcp|udp):"
                            + ADDRESS
                            + "(?<host>\\d{1,5}))-"
                            + ADDRESS
                            + "(?<guest>\\d{1,5})");

    private static final int MAX_PORT = 65_535;
    private static final int MAX_OCTET = 255;

    private final HostLibraries libraries;

    /** Who has what no other may have. */
    private final Map<String, String> owners = new HashMap<>();

    Networks(HostLibraries libraries) {
        this.libraries = libraries;
    }

    /**
     * Judges one network.
     *
     * @param told names of the settings that were found wrong, and told of, already
     * @param source where it was asked for
     * @param wrong is given a clause for everything that is wrong
     */
    void check(
            Map<String, String> settings, Set<String> told, String source, Consumer<String> wrong) {
        Optional<String> backend =
                Optional.ofNullable(settings.get(BACKEND)).filter(any -> !told.contains(BACKEND));
        backend.ifPresent(name -> checkBackend(name, settings, wrong));
        settings.forEach(
                (name, value) -> {
                    String owner = OWNERS.get(name);
                    if (owner != null && backend.isPresent() && !owner.equals(backend.get())) {
                        wrong.accept(
                                "'"
                                        + name
                                        + "' is for "
                                        + owner
                                        + ", not for "
                                        + backend.get()
                                        + "; leave it out");
                    } else if (!told.contains(name)) {
                        checkSetting(name, value, source, wrong);
                    }
                });
    }

    private void checkBackend(
            String backend, Map<String, String> settings, Consumer<String> wrong) {
        String needed = NEEDS.get(backend);
        if (needed != null && !settings.containsKey(needed)) {
            wrong.accept("backend " + backend + " needs " + needed + "=");
        }
        if (backend.equals(USER)) {
            libraries.whyNoUserNetwork().ifPresent(wrong);
        }
    }

    private void checkSetting(String name, String value, String source, Consumer<String> wrong) {
        switch (name) {
            case MAC -> mac(value, source, wrong);
            case INTERFACE -> tap(value, source, wrong);
            case PATH -> socket(value, wrong);
            case HOST_FORWARD -> {
                for (String forward : value.split(";", -1)) {
                    forward(forward, source, wrong);
                }
            }
            default -> {
                // The kind's own description has judged it.
            }
        }
    }

    private void claim(String what, String source, String remedy, Consumer<String> wrong) {
        String other = owners.putIfAbsent(what, source);
        if (other != null) {
            wrong.accept(what + " is taken by " + other + "; " + remedy);
        }
    }

    private void mac(String text, String source, Consumer<String> wrong) {
        if (!MAC_ADDRESS.matcher(text).matches()) {
            wrong.accept("'mac=" + text + "' is wrong: give six bytes, as in 52:54:00:12:34:56");
            return;
        }
        String address = text.toLowerCase(Locale.ROOT).replace("-", ":");
        // IEEE 802, the first bit on the wire: groups are addressed, nobody is one.
        if ((Integer.parseInt(address.substring(0, 2), 16) & 1) != 0
                || address.equals("00:00:00:00:00:00")) {
            wrong.accept(
                    "'mac="
                            + text
                            + "' is wrong: it is no address of one station; begin it with an"
                            + " even byte, as in 52:54:00:12:34:56");
            return;
        }
        claim("mac=" + address, source, "give another with mac=", wrong);
    }

    private void tap(String name, String source, Consumer<String> wrong) {
        if (name.isEmpty()
                || name.getBytes(StandardCharsets.UTF_8).length >= INTERFACE_NAME_SIZE
                || name.equals(".")
                || name.equals("..")
                || name.chars().anyMatch(c -> c <= ' ' || c == '/' || c == ':' || c == '%')) {
            wrong.accept(
                    "'"
                            + name
                            + "' is no name of an interface: give 1 to "
                            + (INTERFACE_NAME_SIZE - 1)
                            + " characters without '/', ':', '%' and spaces, as in tap0");
            return;
        }
        claim("interface " + name, source, "give another", wrong);
    }

    private static void socket(String text, Consumer<String> wrong) {
        Optional<Path> path = PlanReader.path(text, wrong);
        if (path.isEmpty()) {
            return;
        }
        int length = path.get().toString().getBytes(StandardCharsets.UTF_8).length;
        if (length > SocketFile.MAX_PATH) {
            wrong.accept(
                    "the path of a socket has at most "
                            + SocketFile.MAX_PATH
                            + " bytes, this one has "
                            + length);
        }
        Path folder = path.get().getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            wrong.accept("there is no folder " + folder + "; make it first");
        } else if (Files.exists(path.get(), LinkOption.NOFOLLOW_LINKS)) {
            refuseWhatIsNoSocket(path.get(), wrong);
        }
    }

    /**
     * Who listens there is connected to; a socket that nobody listens to any more is taken over.
     */
    private static void refuseWhatIsNoSocket(Path path, Consumer<String> wrong) {
        try {
            if (SocketFile.look(path) == SocketFile.OTHER) {
                wrong.accept("it exists already and is no socket; remove it or give another path");
            }
        } catch (IOException e) {
            wrong.accept(
                    "it exists already and cannot be asked ("
                            + e.getMessage()
                            + "); remove it or give another path");
        }
    }

    private void forward(String text, String source, Consumer<String> wrong) {
        Matcher matcher = FORWARD.matcher(text);
        if (!matcher.matches()
                || !isPort(matcher.group("host"))
                || !isPort(matcher.group("guest"))
                || !hasAddresses(text)) {
            wrong.accept(
                    "'hostfwd="
                            + text
                            + "' is wrong: give"
                            + " tcp|udp:[HOSTADDRESS:]HOSTPORT-[GUESTADDRESS:]GUESTPORT, as in"
                            + " tcp:8022-22");
            return;
        }
        claim("hostfwd " + matcher.group("what"), source, "give another port of the host", wrong);
    }

    private static boolean isPort(String digits) {
        int port = Integer.parseInt(digits);
        return port > 0 && port <= MAX_PORT;
    }

    private static boolean hasAddresses(String text) {
        for (String part : text.split("[-:]")) {
            if (part.contains(".")) {
                for (String octet : part.split("\\.")) {
                    if (Integer.parseInt(octet) > MAX_OCTET) {
                        return false;
                    }
                }
            }
        }
        return true;
    }
}
