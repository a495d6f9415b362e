package org.backplane.launcher.option;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads {@code [ADDRESS:]PORT}; without an address it is this host's loopback. */
final class ListenOption {
    private static final String LOOPBACK = "127.0.0.1";
    private static final int MOST = 65_535;

    /** An address is a name, IPv4, or IPv6 in brackets. */
    private static final Pattern FORM =
            Pattern.compile("(?:(?:\\[([0-9A-Fa-f:.]+)]|([A-Za-z0-9._-]+)):)?([0-9]{1,5})");

    private ListenOption() {}

    /**
     * The address, if a server can be opened there now.
     *
     * @param option that it is of, {@code --web}
     */
    static Optional<ListenAddress> read(String option, String text, Problems problems) {
        Matcher parts = FORM.matcher(text);
        if (!parts.matches() || Integer.parseInt(parts.group(3)) > MOST) {
            problems.add(
                    option,
                    text,
                    "give PORT or ADDRESS:PORT, 127.0.0.1:8080 or [::1]:8080; port 0 is any that is"
                            + " free");
            return Optional.empty();
        }
        String host = Optional.ofNullable(parts.group(1)).orElse(parts.group(2));
        int port = Integer.parseInt(parts.group(3));
        try {
            InetAddress address = InetAddress.getByName(host == null ? LOOPBACK : host);
            try (var trial = new ServerSocket()) {
                trial.setReuseAddress(true);
                trial.bind(new InetSocketAddress(address, port));
            }
            return Optional.of(
                    new ListenAddress(
                            host == null ? LOOPBACK : host, port, address.isLoopbackAddress()));
        } catch (UnknownHostException e) {
            problems.add(option, text, "no host is named '%s'".formatted(host));
        } catch (IOException e) {
            problems.add(
                    option,
                    text,
                    "nothing can listen there (%s); give a port that is free, or 0, and an address"
                                    .formatted(e.getMessage())
                            + " of this host");
        }
        return Optional.empty();
    }
}
