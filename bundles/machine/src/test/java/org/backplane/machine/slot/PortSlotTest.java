package org.backplane.machine.slot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.backplane.bus.AddressRange;
import org.backplane.device.state.SavedState;
import org.backplane.machine.MachineException;
import org.backplane.machine.SlotState;
import org.backplane.machine.slot.Slot.Consent;
import org.backplane.pci.RootPort;
import org.backplane.pci.RootPortWindows;
import org.backplane.testkit.VirtioDriver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A virtio slot behind a root port: what guest and slot tell each other by the port's registers.
 */
class PortSlotTest extends VirtioSlotBench {
    private static final int SLOT_CONTROL = 0x70;
    private static final int SLOT_STATUS = 0x72;

    /** Hot-plug interrupts, button, presence, command completed and link enabled; power on. */
    private static final int LISTENING = 0x1039;

    private static final int POWER_OFF = 0x400;
    private static final int PRESENCE_CHANGED = 8;
    private static final Duration LONG = Duration.ofMinutes(1);

    private RootPort first;
    private RootPort second;
    private final List<Slot> others = new ArrayList<>();

    @BeforeEach
    void ports() {
        first = port(0x10, 1);
        second = port(0x11, 2);
        board.bridge().preset();
    }

    private RootPort port(int device, int number) {
        return board.bridge()
                .addRootPort(
                        device,
                        number,
                        new RootPortWindows(
                                2 * number - 1,
                                2 * number,
                                null,
                                new AddressRange(0x4800_0000L + number * 0x10_0000L, 0x10_0000),
                                null));
    }

    @AfterEach
    void closeOthers() throws MachineException {
        for (Slot other : others) {
            other.close();
        }
    }

    private Slot other(String name, Map<String, String> settings) {
        Slot other =
                new Slot(
                        new SlotSpec(name, "version", settings, "the test"),
                        board,
                        code.services());
        others.add(other);
        return other;
    }

    private long register(RootPort port, int at) {
        return port.readConfig(at, 2);
    }

    /** Linux' part when a card has come: power on, and BARs into the window. */
    private void guestTakes(RootPort port) {
        port.writeConfig(SLOT_CONTROL, 2, LISTENING);
        int bus = port.preset().secondary();
        var card = port.function().orElseThrow();
        long next = port.preset().memory().base();
        for (var bar : card.shape().bars()) {
            long at = next + bar.size() - 1 & -bar.size();
            card.writeConfig(0x10 + 4 * bar.index(), 4, at);
            card.writeConfig(0x14 + 4 * bar.index(), 4, 0);
            next = at + bar.size();
        }
        driver = new VirtioDriver(super.bus, board.bridge().ecam(), bus << 5);
    }

    private void plugHot() throws Exception {
        code.guestStarted = true;
        slot.fill(offer(1, false, null));
        guestTakes(first);
        bringUp();
    }

    @Test
    void whatIsPluggedWhileTheGuestRunsGoesToTheLowestEmptyPortAndTheGuestIsTold()
            throws Exception {
        plugHot();
        assertEquals(1, answer());
        assertEquals("01:00.0", slot.report().address());
        assertEquals(1, slot.port().orElseThrow());
        other("disk1", Map.of()).fill(offer(1, false, null));
        assertEquals(PRESENCE_CHANGED, register(second, SLOT_STATUS) & PRESENCE_CHANGED);
        MachineException full =
                assertThrows(
                        MachineException.class,
                        () -> other("disk2", Map.of()).fill(offer(1, false, null)));
        assertTrue(
                full.getMessage()
                        .contains(
                                "disk2 cannot be plugged while the guest runs: no port is empty"
                                        + " (port 1: disk0, port 2: disk1)"),
                full.getMessage());
    }

    @Test
    void aPortWhoseCardWasTornOutIsUsedOnceTheGuestHasSwitchedItOff() throws Exception {
        plugHot();
        slot.close();
        plug();
        slot.fill(offer(1, false, null));
        assertEquals(2, slot.port().orElseThrow());
        first.writeConfig(SLOT_CONTROL, 2, LISTENING | POWER_OFF);
        Slot next = other("disk1", Map.of());
        next.fill(offer(1, false, null));
        assertEquals(1, next.port().orElseThrow());
    }

    @Test
    void whatIsThereFromTheStartIsOnBusZeroUnlessItNamesAPort() throws Exception {
        slot.fill(offer(1, false, null));
        assertEquals("00:01.0", slot.report().address());
        Slot named = other("disk1", Map.of("port", "2"));
        named.fill(offer(1, false, null));
        assertEquals("03:00.0", named.report().address());
        assertTrue(second.state().linkActive(), "the guest finds it");
        assertEquals(0, register(second, SLOT_STATUS) & PRESENCE_CHANGED);
        assertRefused(
                "disk3",
                "2",
                "disk3 cannot be plugged into port 2: disk1 is there; unplug that, or give another port.");
        assertRefused(
                "disk4", "3", "'port=3' is no root port of this board: give one from 1 to 2.");
    }

    private void assertRefused(String name, String port, String reason) {
        MachineException refusal =
                assertThrows(
                        MachineException.class,
                        () -> other(name, Map.of("port", port)).fill(offer(1, false, null)));
        assertTrue(refusal.getMessage().contains(reason), refusal.getMessage());
    }

    @Test
    void theGuestConsentsBySwitchingPowerOff() throws Exception {
        plugHot();
        CompletableFuture<Consent> consent = asking(LONG);
        awaitTrue(() -> (register(first, SLOT_STATUS) & 1) != 0);
        assertFalse(consent.isDone());
        first.writeConfig(SLOT_CONTROL, 2, LISTENING | POWER_OFF);
        assertEquals(Consent.GIVEN, consent.get(1, TimeUnit.MINUTES));
        slot.close();
        assertFalse(first.state().present());
        plug();
    }

    private CompletableFuture<Consent> asking(Duration bound) {
        return CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return slot.ask(bound);
                    } catch (MachineException e) {
                        throw new AssertionError(e);
                    }
                });
    }

    @Test
    void aGuestThatIsTooLateKeepsTheDeviceAndMaySwitchItOffAndOn() throws Exception {
        plugHot();
        assertEquals(1, answer());
        assertEquals(Consent.NOT_GIVEN, slot.ask(Duration.ZERO));
        first.writeConfig(SLOT_CONTROL, 2, LISTENING | POWER_OFF);
        first.writeConfig(SLOT_CONTROL, 2, LISTENING);
        awaitTrue(() -> first.state().linkActive());
        assertEquals(SlotState.RUNNING, slot.state());
        guestTakes(first);
        bringUp();
        assertEquals(1, answer());
    }

    @Test
    void whoAsksWhileAnotherDoesWaitsWithThatOne() throws Exception {
        plugHot();
        CompletableFuture<Consent> consent = asking(LONG);
        awaitTrue(() -> (register(first, SLOT_STATUS) & 1) != 0);
        first.writeConfig(SLOT_STATUS, 2, 1);
        assertEquals(Consent.NOT_GIVEN, slot.ask(Duration.ZERO));
        assertEquals(0, register(first, SLOT_STATUS) & 1, "the button is pressed once");
        first.writeConfig(SLOT_CONTROL, 2, LISTENING | POWER_OFF);
        assertEquals(Consent.GIVEN, consent.get(1, TimeUnit.MINUTES));
    }

    @Test
    void whoAsksIsNotLeftWaitingWhenTheDeviceIsTakenOut() throws Exception {
        plugHot();
        CompletableFuture<Consent> consent = asking(LONG);
        awaitTrue(() -> (register(first, SLOT_STATUS) & 1) != 0);
        slot.close();
        assertEquals(Consent.GIVEN, consent.get(1, TimeUnit.MINUTES));
        plug();
    }

    @Test
    void aGuestThatDoesNotListenIsNotWaitedFor() throws Exception {
        plugHot();
        first.writeConfig(SLOT_CONTROL, 2, 0);
        assertEquals(Consent.NOT_HEEDED, slot.ask(LONG));
        assertFalse(slot.released());
        first.writeConfig(SLOT_CONTROL, 2, POWER_OFF);
        assertEquals(Consent.GIVEN, slot.ask(LONG), "it is off already");
    }

    @Test
    void onBusZeroThereIsNobodyToAsk() throws Exception {
        slot.fill(offer(1, false, null));
        assertEquals(Consent.NOT_ASKED, slot.ask(LONG));
    }

    @Test
    void theEndOfAVacancyIsSurpriseRemoval() throws Exception {
        var leaving = offer(1, false, null);
        code.guestStarted = true;
        slot.fill(leaving);
        guestTakes(first);
        first.writeConfig(SLOT_STATUS, 2, -1);
        slot.vacate(leaving);
        assertTrue(first.state().present());
        slot.expireVacancy(1);
        awaitTrue(() -> !first.state().present());
        assertEquals(PRESENCE_CHANGED, register(first, SLOT_STATUS) & PRESENCE_CHANGED);
    }

    @Test
    void restoredBehindItsPortTheQueueGoesOn() throws Exception {
        plugHot();
        assertEquals(1, answer());
        List<SavedState> saved = new ArrayList<>();
        SavedState ports;
        try (Standstill still = Standstill.of(List.of(slot), saved)) {
            ports = board.bridge().save();
        }
        slot.close();
        board.bridge().restore(ports);
        plug();
        slot.restore(offer(2, false, null), SavedSlot.of(saved.get(0)));
        slot.letIn();
        board.bridge().resume();
        assertEquals("01:00.0", slot.report().address());
        assertEquals(2, answer());
    }

    @Test
    void theDeviceDoesNotSeeThePortAmongItsSettings() {
        var spec =
                new SlotSpec(
                        "disk0", "version", Map.of("port", "1", "pin", "a", "path", "b"), "here");
        assertEquals(Map.of("path", "b"), spec.deviceSettings());
    }
}
