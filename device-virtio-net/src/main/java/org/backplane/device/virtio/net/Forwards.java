package org.backplane.device.virtio.net;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.backplane.device.DeviceException;
import org.backplane.linux.HostForward;

/**
 * The setting {@code hostfwd}: {@code tcp:[HOSTADDR:]HOSTPORT-[GUESTADDR:]GUESTPORT}, or udp, one
 * or more with {@code ;} between. The host listens on its loopback only unless told otherwise; the
 * guest is at 10.0.2.15, which is what it gets by DHCP.
 */
record Forwards(List<Forward> all) {
    /**
     * @param setting as it was given, for messages
     */
    record Forward(String setting, HostForward ports) {}

    private static final String ADDRESS = "((?:[0-9]{1,3}\\.){3}[0-9]{1,3}):";
    private static final Pattern FORM =
            Pattern.compile(
                    "(tcp|udp):(?:%1$s)?([0-9]{1,5})-(?:%1$s)?([0-9]{1,5})".formatted(ADDRESS));
    private static final String LOOPBACK = "127.0.0.1";
    private static final String GUEST = "10.0.2.15";
    private static final int MOST_PORT = 65535;

    Forwards {
        all = List.copyOf(all);
    }

    static Forwards of(String slot, Map<String, String> own) throws DeviceException {
        String given = own.get(NetSettings.HOSTFWD);
        List<Forward> all = new ArrayList<>();
        if (given == null) {
            return new Forwards(all);
        }
        Set<HostForward> listening = new HashSet<>();
        for (String one : given.split(";", -1)) {
            Forward forward = parse(slot, one);
            HostForward ports = forward.ports();
            // Whatever it leads to: a port of the host leads to one place.
            HostForward end =
                    new HostForward(
                            ports.protocol(),
                            ports.hostAddress(),
                            ports.hostPort(),
                            ports.hostAddress(),
                            ports.hostPort());
            if (!listening.add(end)) {
                throw NetSettings.refused(
                        slot,
                        "hostfwd=%s names port %d of the host twice",
                        given,
                        ports.hostPort());
            }
            all.add(forward);
        }
        return new Forwards(all);
    }

    private static Forward parse(String slot, String text) throws DeviceException {
        String setting = NetSettings.HOSTFWD + "=" + text;
        Matcher form = FORM.matcher(text);
        if (!form.matches()) {
            throw NetSettings.refused(
                    slot,
                    "%s is not tcp:[HOSTADDR:]HOSTPORT-[GUESTADDR:]GUESTPORT, or udp, such as tcp:8022-22",
                    setting);
        }
        HostForward.Protocol protocol =
                HostForward.Protocol.valueOf(form.group(1).toUpperCase(Locale.ROOT));
        return new Forward(
                setting,
                new HostForward(
                        protocol,
                        address(slot, setting, form.group(2), LOOPBACK),
                        port(slot, setting, form.group(3)),
                        address(slot, setting, form.group(4), GUEST),
                        port(slot, setting, form.group(5))));
    }

    private static int port(String slot, String setting, String text) throws DeviceException {
        int port = Integer.parseInt(text);
        if (port < 1 || port > MOST_PORT) {
            throw NetSettings.refused(
                    slot, "%s: a port is 1 to %d, not %s", setting, MOST_PORT, text);
        }
        return port;
    }

    private static Inet4Address address(String slot, String setting, String text, String usual)
            throws DeviceException {
        String given = text == null ? usual : text;
        byte[] bytes = new byte[4];
        String[] parts = given.split("\\.");
        for (int i = 0; i < bytes.length; i++) {
            int part = Integer.parseInt(parts[i]);
            if (part > 255) {
                throw NetSettings.refused(slot, "%s: %s is no IPv4 address", setting, given);
            }
            bytes[i] = (byte) part;
        }
        try {
            return (Inet4Address) InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new IllegalStateException("four bytes are an address", e);
        }
    }
}
