package org.backplane.device.virtio.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.backplane.device.virtio.net.Backend.Channel.Sent;
import org.backplane.testkit.DriverRing.Buffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VirtioNetTest {
    private static final String OTHER = "52:54:00:00:00:99";
    private static final long NOT_MERGING = ~NetWire.F_MRG_RXBUF;

    private PlayedNetwork network = new PlayedNetwork(true, 1);
    private Card card;

    private void plug(long features, String... settings) throws Exception {
        card = Card.on(network, features, settings);
    }

    @AfterEach
    void close() throws Exception {
        if (card != null) {
            assertEquals(0, card.outstanding(), "nothing is held between two calls");
            card.close();
        }
    }

    /** As the network brings it: behind a header, if it has one. */
    private void bring(byte[] frame) {
        network.played.get(0).toReceive.add(network.headers ? Card.headed(frame) : frame);
    }

    private static byte[] frame(int length) {
        return Card.frame(Card.MAC, length, length);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void sendsFramesWhateverTheirDivision(boolean headers) throws Exception {
        network = new PlayedNetwork(headers, 1);
        plug(Card.ALL);
        for (int piece : new int[] {1 << 20, 12, 13, 5, 1000}) {
            for (int length : new int[] {14, 60, 1514, 65550}) {
                if (length / piece > 250) {
                    continue;
                }
                byte[] bytes = Card.headed(frame(length));
                bytes[0] = 1;
                card.put(0, piece, bytes);
                card.device.work(1);
                assertNotNull(card.rings.get(1).collect());
                byte[] expected = headers ? bytes : Arrays.copyOfRange(bytes, 12, bytes.length);
                List<byte[]> sent = network.played.get(0).sent;
                assertArrayEquals(expected, sent.get(sent.size() - 1));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void mergesBuffersForFramesOfEveryLength(boolean headers) throws Exception {
        network = new PlayedNetwork(headers, 1);
        plug(Card.ALL);
        for (int[] pieces : new int[][] {{1526}, {12, 1514}, {3, 4, 5, 6}, {4096}, {70000}}) {
            int room = Arrays.stream(pieces).sum();
            for (int length : new int[] {14, 60, room - 12, room - 11, 1514, 9000, 65550}) {
                int count = (length + 12 + room - 1) / room;
                if (length < 14 || length > NetWire.LONGEST_FRAME || count * pieces.length > 250) {
                    continue;
                }
                card.offer(0, count, pieces);
                bring(frame(length));
                List<byte[]> frames = card.received(0);
                assertEquals(1, frames.size(), "%d in %d".formatted(length, room));
                assertArrayEquals(frame(length), frames.get(0));
                assertEquals(0, card.outstanding());
            }
        }
    }

    @Test
    void saysInTheHeaderWhatTheNetworkSays() throws Exception {
        plug(Card.ALL);
        byte[] bytes = Card.headed(frame(60));
        for (int i = 0; i < 10; i++) {
            bytes[i] = (byte) (i + 1);
        }
        network.played.get(0).toReceive.add(bytes);
        card.offer(0, 1, 100);
        byte[] received = card.collect(0);
        assertArrayEquals(Arrays.copyOf(bytes, 10), Arrays.copyOf(received, 10));
        assertEquals(1, received[10] + received[11]);
    }

    @Test
    void clearsTheFlagsForADriverThatTakesNoChecksums() throws Exception {
        plug(~NetWire.F_GUEST_CSUM);
        byte[] bytes = Card.headed(frame(60));
        bytes[0] = 2;
        network.played.get(0).toReceive.add(bytes);
        card.offer(0, 1, 100);
        assertEquals(0, card.collect(0)[0]);
    }

    @Test
    void longFrameForADriverThatDoesNotMergeIsLostAndTheNextIsNot() throws Exception {
        plug(NOT_MERGING);
        card.offer(0, 4, 200);
        bring(frame(189));
        bring(frame(188));
        List<byte[]> frames = card.received(0);
        assertEquals(1, frames.size());
        assertArrayEquals(frame(188), frames.get(0));
    }

    @Test
    void frameWaitsForBuffersThatComeInTime() throws Exception {
        plug(Card.ALL);
        card.offer(0, 2, 1526);
        bring(frame(5000));
        bring(frame(60));
        assertEquals(List.of(), card.received(0));
        assertFalse(network.played.get(0).listening);
        card.offer(0, 1, 1526);
        assertNull(card.collect(0));
        card.offer(0, 3, 1526);
        byte[] received = card.collect(0);
        assertArrayEquals(frame(5000), Arrays.copyOfRange(received, 12, received.length));
        assertNotNull(card.collect(0));
        assertTrue(network.played.get(0).listening);
    }

    @Test
    void frameThatWaitsInVainIsLost() throws Exception {
        plug(Card.ALL);
        card.offer(0, 2, 1526);
        bring(frame(5000));
        bring(frame(60));
        assertEquals(List.of(), card.received(0));
        card.slot.advanceTo(19_000_000);
        assertFalse(network.played.get(0).listening);
        card.slot.advanceTo(21_000_000);
        assertTrue(network.played.get(0).listening);
        List<byte[]> frames = card.received(0);
        assertEquals(1, frames.size());
        assertArrayEquals(frame(60), frames.get(0));
    }

    @Test
    void doesNotListenWithoutBuffers() throws Exception {
        plug(Card.ALL);
        bring(frame(60));
        assertEquals(List.of(), card.received(0));
        assertFalse(network.played.get(0).listening);
        assertEquals(1, network.played.get(0).toReceive.size());
        card.offer(0, 1, 1526);
        assertNotNull(card.collect(0));
    }

    @Test
    void bufferThatCannotHoldAHeaderComesBackEmpty() throws Exception {
        plug(Card.ALL);
        card.offer(0, 1, 11);
        card.offer(0, 1, 1526);
        bring(frame(60));
        card.device.readable(0);
        card.device.readable(0);
        assertEquals(0, card.collect(0).length);
        assertEquals(List.of("a buffer of 11 bytes"), card.mistakes);
        byte[] received = card.collect(0);
        assertArrayEquals(frame(60), Arrays.copyOfRange(received, 12, received.length));
    }

    @Test
    void frameThatTheNetworkHasNoRoomForIsSentLater() throws Exception {
        plug(Card.ALL);
        network.played.get(0).next = Sent.FULL;
        card.put(0, 2000, Card.headed(frame(60)));
        card.put(0, 2000, Card.headed(frame(61)));
        card.device.work(1);
        assertNull(card.rings.get(1).collect());
        assertEquals(0, card.outstanding());
        network.played.get(0).next = Sent.SENT;
        card.device.writable(0);
        assertEquals(2, network.played.get(0).sent.size());
        assertEquals(12 + 60, network.played.get(0).sent.get(0).length);
        assertNotNull(card.rings.get(1).collect());
    }

    @Test
    void frameThatTheNetworkLosesGivesItsBufferBack() throws Exception {
        plug(Card.ALL);
        network.played.get(0).next = Sent.LOST;
        card.send(frame(60));
    }

    @Test
    void wrongFramesAreNotSent() throws Exception {
        plug(Card.ALL);
        for (byte[] wrong : new byte[][] {new byte[1], new byte[12], new byte[25]}) {
            card.put(0, 100, wrong);
            card.device.work(1);
            assertNotNull(card.rings.get(1).collect());
        }
        byte[] longest = Card.headed(frame(NetWire.LONGEST_FRAME + 1));
        card.put(0, 100_000, longest);
        card.device.work(1);
        assertNotNull(card.rings.get(1).collect());
        assertEquals(List.of(), network.played.get(0).sent);
        assertEquals(List.of(), card.broken);
        assertEquals(4, card.mistakes.size(), card.mistakes::toString);
    }

    @Test
    void driverThatSendsWithoutEndLeavesTheWorker() throws Exception {
        plug(Card.ALL);
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < 150; i++) {
                card.put(0, 2000, Card.headed(frame(60)));
            }
            if (round == 0) {
                // The driver's descriptors are used up by the first: it has to take them back.
                card.device.work(1);
                while (card.rings.get(1).collect() != null) {
                    // Taken back.
                }
            }
        }
        card.device.work(1);
        assertEquals(300, network.played.get(0).sent.size());
    }

    @Test
    void linkThatIsDownCarriesNothing() throws Exception {
        plug(Card.ALL);
        card.offer(0, 4, 1526);
        card.device.link(false);
        assertEquals(1, card.configurationChanges);
        assertEquals(0, card.device.readConfig(6, 2));
        bring(frame(60));
        assertEquals(List.of(), card.received(0));
        assertEquals(0, network.played.get(0).toReceive.size());
        card.send(frame(60));
        assertEquals(List.of(), network.played.get(0).sent);
        card.device.link(true);
        assertEquals(2, card.configurationChanges);
        assertEquals(1, card.device.readConfig(6, 2));
        bring(frame(61));
        assertEquals(1, card.received(0).size());
    }

    @Test
    void networkIsDrainedWithoutADriver() throws Exception {
        plug(Card.ALL);
        card.device.reset();
        card.ports.forEach(port -> port.disable());
        bring(frame(60));
        card.device.readable(0);
        assertEquals(0, network.played.get(0).toReceive.size());
        assertTrue(network.played.get(0).listening);
    }

    @Test
    void quiescedCardTakesNothing() throws Exception {
        plug(Card.ALL);
        card.offer(0, 4, 1526);
        card.device.quiesce();
        bring(frame(60));
        card.put(0, 2000, Card.headed(frame(60)));
        card.device.work(1);
        assertEquals(List.of(), card.received(0));
        assertTrue(card.device.idle());
        assertFalse(network.played.get(0).listening);
        card.device.resume();
        assertTrue(network.played.get(0).listening);
        card.device.work(1);
        assertEquals(1, card.received(0).size());
        assertEquals(1, network.played.get(0).sent.size());
    }

    @Test
    void pairsHaveTheirOwnChannels() throws Exception {
        network = new PlayedNetwork(true, 2);
        plug(Card.ALL, "queues=2");
        assertEquals(5, card.device.shape().queueSizes().size());
        assertEquals(2, card.device.readConfig(8, 2));
        assertEquals(1, network.pairs);
        assertEquals(0, card.command(4, 0, 2, 0));
        assertEquals(2, network.pairs);
        for (int wrong : new int[] {0, 3, 0x8000}) {
            assertEquals(1, card.command(4, 0, wrong & 0xff, wrong >> 8));
        }
        card.offer(1, 1, 1526);
        network.played.get(1).toReceive.add(Card.headed(frame(70)));
        assertArrayEquals(frame(70), card.received(1).get(0));
        card.put(1, 2000, Card.headed(frame(71)));
        card.device.work(3);
        assertEquals(1, network.played.get(1).sent.size());
        assertNotNull(card.rings.get(3).collect());
    }

    @Test
    void controlQueueIsTheThirdForADriverThatKnowsOnePair() throws Exception {
        network = new PlayedNetwork(true, 2);
        plug(~NetWire.F_MQ, "queues=2");
        assertEquals(0, card.command(0, 1, 1));
        assertEquals(1, card.command(4, 0, 2, 0));
    }

    @Test
    void offersWhatTheNetworkCan() throws Exception {
        network.offered = NetWire.F_CSUM;
        plug(Card.ALL, "mtu=9000");
        long features = card.device.shape().features();
        assertEquals(0, features & NetWire.GUEST_OFFLOADS);
        assertEquals(NetWire.F_CSUM, features & NetWire.HOST_OFFLOADS);
        assertEquals(0, features & (NetWire.F_CTRL_GUEST_OFFLOADS | NetWire.F_MQ));
        assertEquals(NetWire.F_MTU, features & NetWire.F_MTU);
        assertEquals(9000, card.device.readConfig(10, 2));
        assertEquals(0x0054_52, card.device.readConfig(0, 2) | card.device.readConfig(2, 1) << 16);
        card.device.writeConfig(0, 1, 7);
        assertEquals(0x52, card.device.readConfig(0, 1));
    }

    @Test
    void networkIsToldWhatTheDriverTakes() throws Exception {
        plug(Card.ALL);
        assertEquals(NetWire.GUEST_OFFLOADS, network.taken);
        assertEquals(0, card.command(5, 0, 2, 0, 0, 0, 0, 0, 0, 0));
        assertEquals(NetWire.F_GUEST_CSUM, network.taken);
        assertEquals(1, card.command(5, 0, 1, 0, 0, 0, 0, 0, 0, 0));
        assertEquals(1, card.command(5, 0, 2, 0, 0, 0));
        assertEquals(NetWire.F_GUEST_CSUM, network.taken);
        card.device.reset();
        assertEquals(0, network.taken);
    }

    @Test
    void wrongCommandsAreAnsweredAndChangeNothing() throws Exception {
        plug(Card.ALL & ~NetWire.F_CTRL_VLAN);
        RxFilter before = card.device.filter();
        int[][] wrong = {
            {},
            {0},
            {0, 0},
            {0, 0, 1, 1},
            {0, 6, 1},
            {1, 0},
            {1, 0, 1, 0, 0, 0, 0, 0, 0, 0},
            {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
            {1, 0, 255, 255, 255, 255, 0, 0, 0, 0},
            {1, 1, 2, 0, 0, 0, 0},
            {1, 1, 1, 0, 0, 0, 0, 1},
            {1, 1, 0, 0, 0, 0, 0, 0},
            {1, 2},
            {2, 0, 1, 0},
            {3, 1},
            {3, 0, 0},
            {4, 0, 1, 0},
            {6, 0},
            {255, 255, 255}
        };
        for (int[] command : wrong) {
            assertEquals(1, card.command(command), Arrays.toString(command));
        }
        assertEquals(before, card.device.filter());
        assertEquals(wrong.length, card.mistakes.size(), card.mistakes::toString);
        assertEquals(List.of(), card.broken);
    }

    @Test
    void overlongCommandIsAnswered() throws Exception {
        plug(Card.ALL);
        assertEquals(1, card.command(new int[9000]));
    }

    @Test
    void commandWithoutRoomForItsAnswerComesBack() throws Exception {
        plug(Card.ALL);
        card.rings.get(2).add(Buffer.readable(card.memory.allocate(new byte[3]), 3));
        card.rings.get(2).publish();
        card.device.work(2);
        assertEquals(0, card.rings.get(2).collect().length());
    }

    private boolean hears(String to) {
        card.offer(0, 1, 200);
        bring(Card.frame(to, 60, 1));
        boolean heard = !card.received(0).isEmpty();
        if (!heard) {
            // The next takes the buffer.
            card.device.filter(card.device.filter().with(RxFilter.Mode.PROMISC, true));
            bring(Card.frame(to, 60, 1));
            assertEquals(1, card.received(0).size());
            card.device.filter(card.device.filter().with(RxFilter.Mode.PROMISC, false));
        }
        return heard;
    }

    @Test
    void filtersByAddress() throws Exception {
        plug(Card.ALL);
        String group = "01:00:5e:00:00:01";
        String all = "ff:ff:ff:ff:ff:ff";
        assertTrue(hears(OTHER), "promiscuous at first");
        assertEquals(0, card.command(0, 0, 0));
        assertFalse(hears(OTHER));
        assertTrue(hears(Card.MAC));
        assertTrue(hears(all));
        assertFalse(hears(group));
        assertEquals(0, card.command(0, 1, 1));
        assertTrue(hears(group));
        assertEquals(0, card.command(0, 1, 0));
        assertEquals(
                0,
                card.command(
                        1, 0, 1, 0, 0, 0, 0x52, 0x54, 0, 0, 0, 0x99, 1, 0, 0, 0, 1, 0, 0x5e, 0, 0,
                        1));
        assertTrue(hears(OTHER));
        assertTrue(hears(group));
        assertEquals(0, card.command(0, 3, 1));
        assertFalse(hears(group));
        assertEquals(0, card.command(0, 5, 1));
        assertFalse(hears(all));
        assertEquals(0, card.command(0, 4, 1));
        assertFalse(hears(Card.MAC));
        assertEquals(0, card.command(0, 4, 0));
        assertEquals(0, card.command(1, 1, 2, 0, 0, 0, 0, 7));
        assertFalse(hears(Card.MAC));
        assertTrue(hears("02:00:00:00:00:07"));
        assertEquals(0x07, card.device.readConfig(5, 1));
    }

    @Test
    void moreAddressesThanAreToldApartLetAllIn() throws Exception {
        plug(Card.ALL);
        assertEquals(0, card.command(0, 0, 0));
        int[] command = new int[2 + 4 + 65 * 6 + 4];
        command[0] = 1;
        command[2] = 65;
        for (int i = 0; i < 65; i++) {
            command[6 + 6 * i] = 2;
            command[11 + 6 * i] = i;
        }
        assertEquals(0, card.command(command));
        assertTrue(hears(OTHER));
        assertFalse(hears("01:00:5e:00:00:01"));
    }

    @Test
    void filtersByVlan() throws Exception {
        plug(Card.ALL);
        assertEquals(0, card.command(0, 0, 0));
        byte[] tagged = frame(64);
        tagged[12] = (byte) 0x81;
        tagged[13] = 0;
        tagged[14] = 0x60;
        tagged[15] = 5;
        card.offer(0, 4, 1526);
        bring(tagged);
        assertEquals(0, card.received(0).size());
        assertEquals(0, card.command(2, 0, 5, 0));
        bring(tagged);
        assertEquals(1, card.received(0).size());
        assertEquals(0, card.command(2, 1, 5, 0));
        bring(tagged);
        assertEquals(0, card.received(0).size());
        assertEquals(1, card.command(2, 0, 0, 0x10));
    }
}
