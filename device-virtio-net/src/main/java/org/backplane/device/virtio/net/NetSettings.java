package org.backplane.device.virtio.net;

import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.TreeSet;
import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext;
import org.backplane.linux.Tap;

/**
 * What can be set of a network card, whatever is behind it. What is for one kind of backend only is
 * in {@code own}, and its class checks it.
 *
 * @param backend what is at the host's end; required
 * @param own the settings of that backend, by name: {@code if} of a tap, {@code path} and {@code
 *     listen} of a socket, {@code hostfwd} of a user-mode network
 * @param mac the guest's address; one made of machine and slot by default
 * @param queues pairs of queues, 1 to 8; 1 by default
 * @param mtu longest packet that the guest is told of, in bytes; it is told nothing by default, but
 *     of a user-mode network
 * @param transitional whether drivers of before virtio 1.0 can use the card, too; off by default
 */
record NetSettings(
        BackendKind backend,
        Map<String, String> own,
        MacAddress mac,
        int queues,
        OptionalInt mtu,
        boolean transitional) {
    static final int MAX_QUEUES = 8;

    /** Section 5.1.4.1: the least that a device may tell. */
    static final int LEAST_MTU = 68;

    static final int MOST_MTU = 65535;

    /**
     * What a guest is told of a user-mode network: behind it there is no wire that carries less,
     * and what a packet costs an interpreted guest hardly depends on its length.
     */
    static final int USER_MTU = 65520;

    static final String IF = "if";
    static final String PATH = "path";
    static final String LISTEN = "listen";
    static final String HOSTFWD = "hostfwd";
    private static final String BACKEND = "backend";
    private static final String MAC = "mac";
    private static final String QUEUES = "queues";
    private static final String MTU = "mtu";
    private static final String TRANSITIONAL = "transitional";
    private static final List<String> COMMON = List.of(BACKEND, MAC, QUEUES, MTU, TRANSITIONAL);

    private static OptionalInt mtu(String slot, BackendKind backend, String text)
            throws DeviceException {
        if (text != null) {
            return OptionalInt.of((int) number(slot, MTU, text, LEAST_MTU, MOST_MTU));
        }
        return backend == BackendKind.USER ? OptionalInt.of(USER_MTU) : OptionalInt.empty();
    }

    /** What only one kind of backend has. */
    private static final Map<String, BackendKind> OWNERS =
            Map.of(
                    IF, BackendKind.TAP,
                    PATH, BackendKind.SOCKET,
                    LISTEN, BackendKind.SOCKET,
                    HOSTFWD, BackendKind.USER);

    NetSettings {
        own = Map.copyOf(own);
    }

    /** Reads and checks a slot's settings. */
    static NetSettings of(DeviceContext context) throws DeviceException {
        String slot = context.slot();
        Map<String, String> given = context.settings();
        String word = given.getOrDefault(BACKEND, "");
        BackendKind backend = BackendKind.of(word).orElse(null);
        if (backend == null) {
            throw refused(
                    slot,
                    word.isEmpty()
                            ? "a network needs backend=KIND, one of: %s"
                            : "backend=%2$s is none of: %1$s",
                    BackendKind.words(),
                    word);
        }
        Map<String, String> own = new TreeMap<>();
        for (String name : new TreeSet<>(given.keySet())) {
            BackendKind owner = OWNERS.get(name);
            if (owner == null && !COMMON.contains(name)) {
                throw refused(
                        slot,
                        "%s has no setting '%s' (value '%s'); there are: %s, %s",
                        VirtioNetFactory.KIND,
                        name,
                        given.get(name),
                        String.join(", ", COMMON),
                        String.join(", ", new TreeSet<>(OWNERS.keySet())));
            }
            if (owner != null && owner != backend) {
                throw refused(
                        slot,
                        "%s=%s is for backend=%s, not for backend=%s; leave it out",
                        name,
                        given.get(name),
                        owner.word(),
                        word);
            }
            if (owner != null) {
                own.put(name, given.get(name));
            }
        }
        return new NetSettings(
                backend,
                own,
                mac(context, given.get(MAC)),
                (int) number(slot, QUEUES, given.getOrDefault(QUEUES, "1"), 1, MAX_QUEUES),
                mtu(slot, backend, given.get(MTU)),
                flag(slot, TRANSITIONAL, given.getOrDefault(TRANSITIONAL, "off")));
    }

    private static boolean flag(String slot, String name, String text) throws DeviceException {
        return switch (text) {
            case "on", "true" -> true;
            case "off", "false" -> false;
            default -> throw refused(slot, "%s=%s is neither on nor off", name, text);
        };
    }

    private static MacAddress mac(DeviceContext context, String text) throws DeviceException {
        if (text == null) {
            return MacAddress.of(context.machine(), context.slot());
        }
        MacAddress mac = MacAddress.parse(text).orElse(null);
        if (mac == null || !mac.isStation()) {
            throw refused(
                    context.slot(),
                    "mac=%s is no station's address such as 52:54:00:12:34:56",
                    text);
        }
        return mac;
    }

    private static long number(String slot, String name, String text, long least, long most)
            throws DeviceException {
        if (text.matches("[0-9]{1,18}")) {
            long number = Long.parseLong(text);
            if (number >= least && number <= most) {
                return number;
            }
        }
        throw refused(slot, "%s=%s is no number from %d to %d", name, text, least, most);
    }

    /** The name of a tap's interface. */
    String interfaceName(String slot) throws DeviceException {
        String name = own.getOrDefault(IF, "");
        if (!name.matches("[!-.0-~]{1,%d}".formatted(Tap.LONGEST_NAME))
                || name.equals(".")
                || name.equals("..")) {
            throw refused(
                    slot,
                    "backend=tap needs if=NAME, an interface's name of 1 to %d characters, not '%s'",
                    Tap.LONGEST_NAME,
                    name);
        }
        return name;
    }

    static DeviceException refused(String slot, String format, Object... values) {
        return new DeviceException("Slot '%s': %s.".formatted(slot, format.formatted(values)));
    }
}
