package org.backplane.device.virtio.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Map;
import java.util.Set;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.backplane.device.virtio.net.RxFilter.Mode;
import org.backplane.testkit.DeviceContract;
import org.backplane.testkit.FakeDeviceContext;
import org.backplane.testkit.GoldenState;
import org.backplane.testkit.TestMemory;
import org.junit.jupiter.api.Test;

class NetStateTest {
    static final String FILE = "virtio-net-v1.properties";
    private static final MacAddress MAC = new MacAddress(0x5254_0000_0001L);

    private static NetState state() {
        BitSet vlans = new BitSet();
        vlans.set(5);
        vlans.set(4095);
        return new NetState(
                new RxFilter(
                        new MacAddress(0x5254_0000_0007L),
                        Set.of(Mode.ALLMULTI, Mode.NOBCAST),
                        Set.of(new MacAddress(0x0200_0000_0009L), MAC),
                        false,
                        Set.of(),
                        true,
                        vlans),
                2,
                NetWire.F_GUEST_TSO4,
                true);
    }

    @Test
    void writesAndReadsVersionOne() throws DeviceException {
        SavedState golden = GoldenState.read(NetStateTest.class, FILE);
        GoldenState.requireSame(NetStateTest.class, FILE, state().saved());
        assertEquals(state(), NetState.of(golden, MAC, 8));
    }

    @Test
    void missingNamesHaveDefaults() throws DeviceException {
        assertEquals(
                new NetState(RxFilter.initial(MAC), 1, 0, false),
                NetState.of(SavedState.of("virtio-net", 1).number("colour", 1).build(), MAC, 1));
    }

    @Test
    void refusesWhatACardCannotBe() {
        for (SavedState.Builder wrong :
                new SavedState.Builder[] {
                    SavedState.of("virtio-blk", 1),
                    SavedState.of("virtio-net", 2),
                    SavedState.of("virtio-net", 1).number("pairs", 3),
                    SavedState.of("virtio-net", 1).number("pairs", 0),
                    SavedState.of("virtio-net", 1).number("promisc", 2),
                    SavedState.of("virtio-net", 1).number("offloadsOff", 1),
                    SavedState.of("virtio-net", 1).bytes("mac", new byte[5]),
                    SavedState.of("virtio-net", 1).bytes("mac", new byte[6]),
                    SavedState.of("virtio-net", 1).bytes("unicast", new byte[7]),
                    SavedState.of("virtio-net", 1).bytes("unicast", new byte[12]),
                    SavedState.of("virtio-net", 1).bytes("multicast", new byte[65 * 6]),
                    SavedState.of("virtio-net", 1).bytes("vlans", new byte[513]),
                    SavedState.of("virtio-net", 1).bytes("vlans", new byte[1])
                }) {
            SavedState state = wrong.build();
            assertThrows(DeviceException.class, () -> NetState.of(state, MAC, 2), state::toString);
        }
    }

    @Test
    void keepsToTheContractOfEveryDevice() throws Exception {
        try (TestMemory memory = new TestMemory()) {
            DeviceContract contract =
                    new DeviceContract(
                            new VirtioNetFactory(),
                            () ->
                                    new FakeDeviceContext(
                                            "net0",
                                            "virtio-net",
                                            Map.of("backend", "none", "queues", "2"),
                                            memory.guestMemory()),
                            GoldenState.read(NetStateTest.class, FILE));
            contract.goesThroughItsLife();
            contract.savesWhatItRestored();
            contract.savesWithoutAChange();
            contract.restoresWithoutAnEffect();
            contract.readsReleasedStates();
            contract.ignoresNamesItDoesNotKnow();
            contract.defaultsNamesThatAreMissing();
            contract.refusesStatesOfOthers();
            contract.trustsNoState(1, 100);
            contract.bendsNoValue(1, 100);
        }
    }

    private static SavedState saved(Card card) {
        return ((SaveSupport.Saveable) card.device.saveSupport()).saver().save();
    }

    private static void swap(Card card, PlayedNetwork network) throws Exception {
        SavedState state = saved(card);
        card.device.quiesce();
        card.device.close();
        card.slot.unplugDevice();
        card.create(network);
        ((SaveSupport.Saveable) card.device.saveSupport()).restorer().restore(state);
        card.start();
        card.activate(Card.ALL);
    }

    @Test
    void nextVersionGoesOnWhereTheLastOneStopped() throws Exception {
        PlayedNetwork second = new PlayedNetwork(true, 2);
        try (Card card = Card.on(new PlayedNetwork(true, 2), Card.ALL, "queues=2")) {
            assertEquals(0, card.command(0, 0, 0));
            assertEquals(0, card.command(4, 0, 2, 0));
            assertEquals(0, card.command(5, 0, 2, 0, 0, 0, 0, 0, 0, 0));
            assertEquals(0, card.command(1, 1, 2, 0, 0, 0, 0, 7));
            card.offer(0, 3, 1526);
            swap(card, second);
            assertEquals(2, second.pairs);
            assertEquals(NetWire.F_GUEST_CSUM, second.taken);
            assertFalse(card.device.filter().modes().contains(Mode.PROMISC));
            assertEquals(7, card.device.readConfig(5, 1));
            assertEquals(1, card.device.readConfig(6, 2));
            assertEquals(0, card.configurationChanges);
            byte[] frame = Card.frame("02:00:00:00:00:07", 60, 1);
            second.played.get(0).toReceive.add(Card.headed(frame));
            assertTrue(Arrays.equals(frame, card.received(0).get(0)));
        }
    }

    @Test
    void guestAnnouncesItselfWhereItsNetworkIsNew() throws Exception {
        PlayedNetwork second = new PlayedNetwork(true, 1);
        second.fresh = true;
        try (Card card = Card.on(new PlayedNetwork(true, 1), Card.ALL)) {
            swap(card, second);
            assertEquals(3, card.device.readConfig(6, 2));
            assertEquals(1, card.configurationChanges);
            PlayedNetwork third = new PlayedNetwork(true, 1);
            swap(card, third);
            assertEquals(3, card.device.readConfig(6, 2), "it has not done so yet");
            assertEquals(0, card.command(3, 0));
            assertEquals(1, card.device.readConfig(6, 2));
            swap(card, new PlayedNetwork(true, 1));
            assertEquals(1, card.device.readConfig(6, 2));
        }
    }
}
