package org.backplane.device.virtio.net;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.backplane.device.virtio.net.Backend.Channel.Sent;
import org.backplane.testkit.DriverRing;
import org.backplane.testkit.DriverRing.Buffer;
import org.backplane.testkit.TestMemory;

/** A driver that does anything, and then behaves: nothing it did is to be seen any more. */
class HostileDriverTest {
    private static final int STEPS = 60;

    @Property(tries = 60)
    void nothingThatADriverDoesOutlivesItsReset(@ForAll @LongRange(min = 0) long seed)
            throws Exception {
        var random = new Random(seed);
        var network = new PlayedNetwork(true, 2);
        try (Card card = Card.on(network, random.nextLong(), "queues=2")) {
            new Attempt(random, network, card).run();
        }
    }

    private record Attempt(Random random, PlayedNetwork network, Card card) {
        void run() throws Exception {
            for (int step = 0; step < STEPS; step++) {
                step();
            }
            reset();
            network.played.forEach(
                    channel -> {
                        channel.next = Sent.SENT;
                        channel.toReceive.clear();
                        channel.sent.clear();
                    });
            behave();
        }

        private void step() throws Exception {
            int queue = random.nextInt(5);
            DriverRing ring = card.rings.get(queue);
            switch (random.nextInt(10)) {
                case 0 ->
                        ring.pokeDescriptor(
                                random.nextInt(ring.size()),
                                address(),
                                random.nextInt(),
                                random.nextInt(8),
                                random.nextInt(1 << 16));
                case 1 -> ring.pokeAvailableIndex(random.nextInt(1 << 16));
                case 2 -> ring.offer(random.nextInt(300));
                case 3, 4, 5 -> chain(ring);
                case 6 -> bring();
                case 7 -> {
                    card.device.quiesce();
                    card.device.work(queue);
                    card.device.resume();
                }
                case 8 -> {
                    Sent[] outcomes = Sent.values();
                    network.played.get(random.nextInt(2)).next =
                            outcomes[random.nextInt(outcomes.length)];
                }
                default -> card.slot.advanceTo(card.slot.guestTime() + random.nextInt(30_000_000));
            }
            card.device.work(queue);
            card.device.readable(random.nextInt(2));
            card.device.writable(random.nextInt(2));
            card.device.readConfig(random.nextInt(16), 1 << random.nextInt(3));
            card.device.writeConfig(random.nextInt(16), 1, random.nextInt());
        }

        /** Inside and outside of memory, and on its border. */
        private long address() {
            return switch (random.nextInt(4)) {
                case 0 -> random.nextLong();
                case 1 -> TestMemory.BOUNDARY - random.nextInt(64);
                case 2 -> TestMemory.BASE + TestMemory.SIZE - random.nextInt(64);
                default -> TestMemory.BASE + random.nextInt((int) TestMemory.SIZE);
            };
        }

        /** Buffers of any length and direction, some with what may be a command. */
        private void chain(DriverRing ring) {
            int count = 1 + random.nextInt(4);
            Buffer[] buffers = new Buffer[count];
            int writable = random.nextInt(count + 1);
            for (int i = 0; i < count; i++) {
                int length = random.nextInt(random.nextBoolean() ? 20 : 4000) + 1;
                long at = TestMemory.BOUNDARY + (1 << 20) + random.nextInt(1 << 19);
                if (i < count - writable) {
                    byte[] content = new byte[length];
                    random.nextBytes(content);
                    content[0] = (byte) random.nextInt(7);
                    if (length > 1) {
                        content[1] = (byte) random.nextInt(6);
                    }
                    card.memory.write(at, content);
                    buffers[i] = Buffer.readable(at, length);
                } else {
                    buffers[i] = Buffer.writable(at, length);
                }
            }
            if (random.nextBoolean()) {
                ring.addIndirect(buffers);
            } else {
                ring.add(buffers);
            }
            ring.publish();
        }

        private void bring() {
            byte[] frame = new byte[12 + 14 + random.nextInt(random.nextBoolean() ? 100 : 65000)];
            random.nextBytes(frame);
            network.played.get(random.nextInt(2)).toReceive.add(frame);
        }

        private void reset() {
            card.device.quiesce();
            card.device.reset();
            card.ports.forEach(port -> port.disable());
            card.restartRings();
            card.activate(Card.ALL);
        }

        private void behave() {
            card.offer(0, 60, 1526);
            for (int length : new int[] {60, 1514, 60000}) {
                byte[] frame = Card.frame(Card.MAC, length, length);
                network.played.get(0).toReceive.add(Card.headed(frame));
                List<byte[]> frames = card.received(0);
                assertEquals(1, frames.size());
                assertEquals(true, Arrays.equals(frame, frames.get(0)));
                card.send(frame);
                List<byte[]> sent = network.played.get(0).sent;
                assertEquals(true, Arrays.equals(Card.headed(frame), sent.get(sent.size() - 1)));
            }
            assertEquals(0, card.command(0, 0, 0));
            assertEquals(1, card.command(0, 9, 0));
            assertEquals(List.of(), card.broken);
            assertEquals(0, card.outstanding());
        }
    }
}
