package org.backplane.device.virtio.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.backplane.testkit.DriverRing.Buffer;
import org.backplane.testkit.DriverRing.Used;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Drivers of before virtio 1.0 (virtio 1.2, sections 5.1.4.1 and 5.1.6.1). */
class LegacyDriverTest {
    private static final long LEGACY = ~NetWire.F_VERSION_1;
    private static final long NOT_MERGING = LEGACY & ~NetWire.F_MRG_RXBUF;
    private static final int SHORT = 10;
    private static final int OFFERED = 1500;

    private PlayedNetwork network = new PlayedNetwork(true, 1);
    private Card card;

    private void plug(long features) throws Exception {
        card = Card.on(network, features, "transitional=on");
    }

    @AfterEach
    void close() throws Exception {
        assertEquals(0, card.outstanding());
        card.close();
    }

    private static byte[] behind(int header, byte[] frame) {
        byte[] all = new byte[header + frame.length];
        System.arraycopy(frame, 0, all, header, frame.length);
        return all;
    }

    private void bring(byte[] frame) {
        network.played
                .get(0)
                .toReceive
                .add(network.headers ? behind(network.headerBytes, frame) : frame);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void hasAHeaderWithoutNumBuffersWhereItDoesNotMerge(boolean headers) throws Exception {
        network = new PlayedNetwork(headers, 1);
        plug(NOT_MERGING);
        assertEquals(SHORT, network.headerBytes);
        byte[] frame = Card.frame(Card.MAC, 60, 1);
        byte[] bytes = behind(SHORT, frame);
        bytes[0] = 1;
        card.put(0, 1 << 20, bytes);
        card.device.work(1);
        assertNotNull(card.rings.get(1).collect());
        assertArrayEquals(headers ? bytes : frame, network.played.get(0).sent.get(0));

        card.offer(0, 1, OFFERED);
        bring(frame);
        card.device.readable(0);
        Used used = card.rings.get(0).collect();
        assertEquals(SHORT + frame.length, used.length());
    }

    @Test
    void bytesOfTheFrameFollowTheShortHeader() throws Exception {
        plug(NOT_MERGING);
        long from = card.memory.allocate(OFFERED, 16);
        card.rings
                .get(0)
                .add(Buffer.writable(from, SHORT), Buffer.writable(from + SHORT, OFFERED - SHORT));
        card.rings.get(0).publish();
        byte[] frame = Card.frame(Card.MAC, 60, 2);
        bring(frame);
        card.device.readable(0);
        assertNotNull(card.rings.get(0).collect());
        assertArrayEquals(frame, card.memory.read(from + SHORT, frame.length));
    }

    @Test
    void hasNumBuffersWhereItMerges() throws Exception {
        plug(LEGACY);
        assertEquals(NetWire.HEADER_BYTES, network.headerBytes);
        card.offer(0, 3, 40);
        bring(Card.frame(Card.MAC, 100, 3));
        byte[] received = card.received(0).get(0);
        assertArrayEquals(Card.frame(Card.MAC, 100, 3), received);
    }

    @Test
    void hasTheLongHeaderAgainWithTheNextDriver() throws Exception {
        plug(NOT_MERGING);
        card.device.quiesce();
        card.device.reset();
        card.restartRings();
        card.activate(Card.ALL);
        assertEquals(NetWire.HEADER_BYTES, network.headerBytes);
        card.send(Card.frame(Card.MAC, 60, 4));
        assertArrayEquals(
                Card.frame(Card.MAC, 60, 4),
                Arrays.copyOfRange(network.played.get(0).sent.get(0), 12, 72));
    }

    @Test
    void setsItsAddressAByteAtATime() throws Exception {
        plug(LEGACY & ~NetWire.F_CTRL_MAC_ADDR);
        byte[] mac = MacAddress.parse("52:54:00:aa:bb:cc").orElseThrow().bytes();
        for (int i = 0; i < mac.length; i++) {
            card.device.writeConfig(i, 1, mac[i]);
        }
        assertEquals("52:54:00:aa:bb:cc", card.device.filter().mac().toString());
        card.device.writeConfig(0, 1, 0x01);
        assertEquals("52:54:00:aa:bb:cc", card.device.filter().mac().toString());
        assertEquals(1, card.mistakes.size(), "a group's address is none for a card");
        card.device.writeConfig(6, 2, 0);
        assertEquals(2, card.mistakes.size());
    }

    @Test
    void cannotBeToldAnAddressByAModernDriver() throws Exception {
        plug(Card.ALL);
        card.device.writeConfig(5, 1, 0x77);
        assertEquals(Card.MAC, card.device.filter().mac().toString());
        assertTrue(card.device.shape().transitional());
    }
}
