package org.backplane.device.virtio.net;

import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.backplane.linux.Epoll;
import org.backplane.linux.Fd;

/** A card at a backend of the host, and the worker that waits for the slot's descriptors. */
final class Plugged implements AutoCloseable {
    final Card card;
    private final Epoll epoll = Epoll.open();
    private final Map<Fd, Long> known = new HashMap<>();

    Plugged(String... settings) throws Exception {
        Map<String, String> all = new HashMap<>();
        for (String setting : settings) {
            String[] words = setting.split("=", 2);
            all.put(words[0], words[1]);
        }
        card = new Card(all);
        try {
            plug();
        } catch (Exception e) {
            card.slot.close();
            card.memory.close();
            epoll.close();
            throw e;
        }
    }

    /** Plugs a device into the slot; the driver that may be there goes on with it. */
    void plug() throws Exception {
        card.create(Backends.of(card.slot, NetSettings.of(card.slot)));
        card.start();
        card.activate(Card.ALL);
    }

    /** The end of the device before the next comes; what the slot keeps stays. */
    void unplug() {
        card.device.quiesce();
        card.device.close();
        card.slot.unplugDevice();
    }

    /** Does what is due now. */
    void pump() throws IOException {
        for (Fd descriptor : card.slot.watched()) {
            if (!known.containsKey(descriptor)) {
                known.put(descriptor, (long) known.size());
                epoll.add(descriptor, Epoll.READABLE, known.get(descriptor));
            }
        }
        boolean more = true;
        for (int i = 0; more && i < 100; i++) {
            more = epoll.await(0) > 0;
            card.slot.watched().forEach(card.slot::readable);
        }
    }

    /** Waits for descriptors, and does what is due, until something is so. */
    void until(BooleanSupplier reached) throws IOException {
        pump();
        while (!reached.getAsBoolean()) {
            epoll.await(-1);
            pump();
        }
    }

    /** The next frame for the driver, without its header. */
    byte[] next() throws IOException {
        byte[][] frame = new byte[1][];
        until(() -> (frame[0] = card.collect(0)) != null);
        return Arrays.copyOfRange(frame[0], 12, frame[0].length);
    }

    @Override
    public void close() throws Exception {
        card.close();
        epoll.close();
    }
}
