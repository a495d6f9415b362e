package org.backplane.device.virtio.net;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.backplane.linux.Tap;

/**
 * What is tried with real taps, in a process and a network name space of its own. A scenario that
 * does not hold ends with an exception.
 */
final class TapScenarios {
    private static final String LEFT = "52:54:00:00:00:0a";
    private static final String RIGHT = "52:54:00:00:00:0b";

    /**
     * Of payloads; with the longest, a frame is as long as the kernel divides none: 65,535 bytes.
     */
    private static final int[] LENGTHS = {6, 100, 1000, 1448, 1449, 4000, 20000, 65000, 65481};

    private TapScenarios() {}

    public static void main(String[] words) throws Exception {
        switch (words[0]) {
            case "wholeFrames" -> wholeFrames();
            case "segments" -> segments();
            case "pairs" -> pairs();
            case "vanishes" -> vanishes();
            case "swap" -> swap();
            case "refusals" -> refusals();
            case "created" -> created();
            default -> throw new IllegalArgumentException(words[0]);
        }
        System.out.println("held: " + words[0]);
    }

    private static void run(String command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command.split(" ")).inheritIO().start();
        if (process.waitFor() != 0) {
            throw new IOException(command + " ended with " + process.exitValue());
        }
    }

    private static void require(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    /**
     * Two taps in a bridge; more than one packet fits between them. None has an address of IPv6,
     * whose own frames would be counted; that has to be said before it is up.
     */
    private static void bridge(String mode) throws Exception {
        run("ip link add br0 type bridge mcast_snooping 0");
        run("ip link set br0 addrgenmode none");
        run("ip link set br0 up");
        for (String name : List.of("left", "right")) {
            join(name, mode);
        }
    }

    private static void join(String name, String mode) throws Exception {
        run("ip tuntap add dev " + name + " mode tap" + mode);
        run("ip link set " + name + " addrgenmode none");
        run("ip link set " + name + " master br0 up");
    }

    /** The bridge takes a port into use after somebody has opened its tap, in its own time. */
    private static void awaitForwarding(String name) throws Exception {
        String details;
        do {
            Process process =
                    new ProcessBuilder("ip", "-d", "link", "show", "dev", name)
                            .redirectErrorStream(true)
                            .start();
            details = new String(process.getInputStream().readAllBytes(), US_ASCII);
            require(process.waitFor() == 0, details);
        } while (!details.contains("state forwarding"));
    }

    private static Card card(String name, String mac, int queues) throws Exception {
        Card card =
                new Card(
                        Map.of(
                                "backend",
                                "tap",
                                "if",
                                name,
                                "mac",
                                mac,
                                "queues",
                                Integer.toString(queues)));
        plug(card);
        return card;
    }

    private static void plug(Card card) throws DeviceException {
        NetSettings settings = NetSettings.of(card.slot);
        card.create(Backends.of(card.slot, settings));
        card.start();
    }

    private static Card ready(String name, String mac, long features) throws Exception {
        Card card = card(name, mac, 1);
        card.activate(features);
        awaitForwarding(name);
        // Nothing but what is for it, and no noise of the kernel's.
        require(card.command(0, 0, 0) == 0, "the mode is changed");
        return card;
    }

    private static byte[] payload(int length) {
        byte[] payload = new byte[length];
        new Random(length).nextBytes(payload);
        return payload;
    }

    private static String digest(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    private static void offer(Card card) {
        int free = card.rings.get(0).freeDescriptors();
        if (free > 0) {
            card.offer(0, free, 1526);
        }
    }

    /** The next frame with its header: waits for it. */
    private static byte[] await(Card card) {
        for (; ; ) {
            offer(card);
            byte[] frame = card.collect(0);
            if (frame != null) {
                return frame;
            }
            card.slot.watched().forEach(card.slot::readable);
        }
    }

    private static void send(Card card, int pair, byte[] headed) {
        card.put(pair, 4096, headed);
        card.device.work(2 * pair + 1);
        require(card.rings.get(2 * pair + 1).collect() != null, "the buffer comes back");
    }

    private static void send(Card from, Card to, byte[] payload, boolean offload) {
        send(from, 0, headed(from, to, payload, offload));
    }

    private static byte[] headed(Card from, Card to, byte[] payload, boolean offload) {
        return TcpFrame.of(
                to.device.filter().mac(), from.device.filter().mac(), 1, payload, offload);
    }

    /** Offloads on both sides: what is sent whole arrives whole, 60 bytes to 64 KiB. */
    private static void wholeFrames() throws Exception {
        bridge("");
        try (Card left = ready("left", LEFT, Card.ALL);
                Card right = ready("right", RIGHT, Card.ALL)) {
            for (int length : LENGTHS) {
                byte[] payload = payload(length);
                for (Card[] way : new Card[][] {{left, right}, {right, left}}) {
                    send(way[0], way[1], payload, true);
                    byte[] frame = await(way[1]);
                    require(
                            digest(payload).equals(digest(TcpFrame.payload(frame))),
                            length + " bytes");
                    require(
                            (frame[1] == 1) == (length > TcpFrame.SEGMENT),
                            length + " bytes, segments " + frame[1]);
                    require((frame[0] & 1) == 1, "the checksum is left to the driver");
                }
            }
        }
    }

    /** A driver without offloads gets segments with checksums, and sends such. */
    private static void segments() throws Exception {
        bridge("");
        try (Card left = ready("left", LEFT, Card.ALL);
                Card right = ready("right", RIGHT, ~NetWire.GUEST_OFFLOADS)) {
            for (int length : LENGTHS) {
                byte[] payload = payload(length);
                send(left, right, payload, true);
                Map<Integer, byte[]> parts = new TreeMap<>();
                int arrived = 0;
                while (arrived < length) {
                    byte[] frame = await(right);
                    require(TcpFrame.isSummed(frame), "a checksum");
                    require(frame[1] == 0 && frame[0] == 0, "no offload");
                    byte[] part = TcpFrame.payload(frame);
                    require(part.length <= TcpFrame.SEGMENT, part.length + " bytes");
                    arrived += parts.put(TcpFrame.sequence(frame), part) == null ? part.length : 0;
                }
                ByteArrayOutputStream all = new ByteArrayOutputStream();
                parts.values().forEach(all::writeBytes);
                require(digest(payload).equals(digest(all.toByteArray())), length + " bytes");
            }
            send(right, left, payload(1000), false);
            require(
                    digest(payload(1000)).equals(digest(TcpFrame.payload(await(left)))),
                    "without offload");
        }
    }

    /** Several pairs: frames go out of each, and come in to those that are in use. */
    private static void pairs() throws Exception {
        bridge(" multi_queue");
        try (Card left = card("left", LEFT, 4);
                Card right = ready("right", RIGHT, Card.ALL)) {
            left.activate(Card.ALL);
            awaitForwarding("left");
            require(left.command(4, 0, 4, 0) == 0, "four pairs");
            for (int pair = 0; pair < 4; pair++) {
                byte[] payload = payload(500 + pair);
                send(left, pair, headed(left, right, payload, true));
                require(Arrays.equals(payload, TcpFrame.payload(await(right))), "pair " + pair);
            }
            for (int used : new int[] {4, 2, 1}) {
                require(left.command(4, 0, used, 0) == 0, used + " pairs");
                for (int port = 0; port < 16; port++) {
                    byte[] headed = headed(right, left, payload(100), false);
                    headed[12 + 34] = (byte) port;
                    headed[0] = 0;
                    send(right, 0, headed);
                }
                int[] came = new int[4];
                while (Arrays.stream(came).sum() < 16) {
                    for (int pair = 0; pair < 4; pair++) {
                        int free = left.rings.get(2 * pair).freeDescriptors();
                        if (free > 0) {
                            left.offer(pair, free, 1526);
                        }
                        left.slot.watched().forEach(left.slot::readable);
                        while (left.collect(pair) != null) {
                            came[pair]++;
                        }
                    }
                }
                for (int pair = used; pair < 4; pair++) {
                    require(came[pair] == 0, "frames of a pair that is not used");
                }
            }
        }
    }

    /** An interface that is removed, and made again. */
    private static void vanishes() throws Exception {
        bridge("");
        try (Card left = ready("left", LEFT, Card.ALL);
                Card right = ready("right", RIGHT, Card.ALL)) {
            offer(left);
            run("ip link del left");
            send(left, right, payload(100), true);
            left.slot.watched().forEach(left.slot::readable);
            require(left.slot.watched().isEmpty(), "what is gone is not watched");
            left.slot.advanceTo(5_000_000_000L);
            require(!Tap.exists("left"), "what was removed is not made anew");
            join("left", "");
            left.slot.advanceTo(6_000_000_000L);
            awaitForwarding("left");
            byte[] payload = payload(60000);
            send(left, right, payload, true);
            require(Arrays.equals(payload, TcpFrame.payload(await(right))), "it sends");
            send(right, left, payload, true);
            require(Arrays.equals(payload, TcpFrame.payload(await(left))), "it receives");
            run("ip link set left down");
            send(left, right, payload(100), true);
            run("ip link set left up");
            awaitForwarding("left");
            send(left, right, payload(101), true);
            require(TcpFrame.payload(await(right)).length == 101, "it sends again");
        }
    }

    /** The next version of the device goes on with the slot's tap; nothing in it is lost. */
    private static void swap() throws Exception {
        bridge("");
        try (Card left = ready("left", LEFT, Card.ALL);
                Card right = ready("right", RIGHT, Card.ALL)) {
            offer(right);
            right.device.quiesce();
            for (int length = 1; length <= 50; length++) {
                send(left, right, payload(length), true);
            }
            require(right.device.idle(), "nothing is under way");
            SavedState state = ((SaveSupport.Saveable) right.device.saveSupport()).saver().save();
            right.device.close();
            right.slot.unplugDevice();
            NetSettings settings = NetSettings.of(right.slot);
            right.create(Backends.of(right.slot, settings));
            ((SaveSupport.Saveable) right.device.saveSupport()).restorer().restore(state);
            right.start();
            right.activate(Card.ALL);
            for (int length = 1; length <= 50; length++) {
                require(TcpFrame.payload(await(right)).length == length, "frame " + length);
            }
            require(right.device.readConfig(6, 2) == 1, "nobody has to be told");
        }
    }

    private static String refusal(Map<String, String> settings) throws Exception {
        try (Card card = new Card(settings)) {
            plug(card);
            return "none";
        } catch (DeviceException e) {
            return e.getMessage();
        }
    }

    private static void refusals() throws Exception {
        run("ip link add bridge7 type bridge");
        run("ip tuntap add dev one mode tap");
        List<String> sentences = new ArrayList<>();
        sentences.add(refusal(Map.of("backend", "tap", "if", "bridge7")));
        sentences.add(refusal(Map.of("backend", "tap", "if", "one", "queues", "2")));
        try (Card first = card("one", LEFT, 1)) {
            require(first.slot.keptNames().equals(List.of("tap0")), "the tap is kept");
            sentences.add(refusal(Map.of("backend", "tap", "if", "one")));
        }
        run("ip tuntap add dev two mode tap multi_queue");
        run("ip link set two up");
        try (Card first = card("two", LEFT, 2)) {
            sentences.add(refusal(Map.of("backend", "tap", "if", "two", "queues", "2")));
            sentences.add(refusal(Map.of("backend", "tap", "if", "two")));
        }
        card("two", LEFT, 2).close();
        String taken = "another program or slot uses it; stop that one, or give another interface";
        List<String> remedies =
                List.of(
                        "it is no tap; make one with: ip tuntap add dev bridge7 mode tap",
                        "it is no tap, or was made for one queue; make it with: ip tuntap add dev one mode tap multi_queue, or give queues=1",
                        taken,
                        taken,
                        taken);
        for (int i = 0; i < remedies.size(); i++) {
            require(sentences.get(i).contains(remedies.get(i)), sentences.get(i));
        }
    }

    /** An interface that is not there is made; one with several queues serves a card with one. */
    private static void created() throws Exception {
        require(!Tap.exists("fresh"), "there is none yet");
        Card card = card("fresh", LEFT, 2);
        require(Tap.exists("fresh"), "it was made");
        card.close();
        require(!Tap.exists("fresh"), "it went with the slot");
        run("ip tuntap add dev many mode tap multi_queue");
        card("many", LEFT, 1).close();
    }
}
