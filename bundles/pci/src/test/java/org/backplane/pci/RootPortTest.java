package org.backplane.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.backplane.bus.AddressRange;
import org.backplane.bus.ClaimException;
import org.backplane.bus.Space;
import org.junit.jupiter.api.Test;

class RootPortTest {
    private static final int BEHIND_FIRST = PortRig.number(1, 0);
    private static final int BEHIND_SECOND = PortRig.number(3, 0);
    private static final long NOBODY = 0xffff_ffffL;
    private static final long CARD = 0x8168_10ecL;
    private static final PciShape DISK = Rig.shape(Rig.io(0, 32), Rig.memory(1, 0x1000));
    private static final PciShape WIDE = Rig.shape(Rig.memory64(0, 0x4000));

    private final PortRig ports = new PortRig();
    private final Rig rig = ports.rig;

    @Test
    void aPortIsABridgeWithASlotForHotPlug() {
        assertEquals(0x000c_1b36L, ports.read(ports.first, 0, 4));
        assertEquals(0x0604, ports.read(ports.first, 0x0a, 2));
        assertEquals(1, ports.read(ports.first, Type0Header.HEADER_TYPE, 1));
        assertEquals(0x0002_0100, ports.read(ports.first, 0x18, 4));
        assertEquals(0x40, ports.read(ports.first, Type0Header.CAPABILITIES_POINTER, 1));
        assertEquals(MsiLayout.ID, ports.read(ports.first, 0x40, 1));
        assertEquals(PortRig.EXPRESS, ports.read(ports.first, 0x41, 1));
        assertEquals(0x0142_0010, ports.read(ports.first, PortRig.EXPRESS, 4));
        assertEquals(1 << 19 | 0x7b, ports.read(ports.first, PortRig.EXPRESS + 0x14, 4));
        assertEquals(2 << 19 | 0x7b, ports.read(ports.second, PortRig.EXPRESS + 0x14, 4));
        assertEquals(0, ports.read(ports.first, 0x100, 4), "no extended capability");
    }

    @Test
    void firmwareProgramsNumbersAndWindows() {
        assertEquals(0xe0e0, ports.read(ports.first, 0x1c, 2));
        assertEquals(0x7ef0_7e00, ports.read(ports.first, 0x20, 4));
        assertEquals(0xfff1_0001L, ports.read(ports.first, 0x24, 4));
        assertEquals(0x1c, ports.read(ports.first, 0x28, 4));
        assertEquals(0x1c, ports.read(ports.first, 0x2c, 4));
        assertEquals(0x1d, ports.read(ports.second, 0x28, 4));
        assertEquals(ports.first.preset(), ports.first.programmed());
    }

    @Test
    void anEmptySlotIsOffAndItsBusIsSilent() {
        assertEquals(NOBODY, ports.read(BEHIND_FIRST, 0, 4));
        assertEquals(new RootPort.SlotState(false, false, false, false), ports.first.state());
    }

    @Test
    void aCardThatFirmwareFindsIsOnAndPlacedInThePortsWindows() throws ClaimException {
        PciFunction disk = ports.installed(ports.second, "disk0", DISK);
        assertEquals(CARD, ports.read(BEHIND_SECOND, 0, 4));
        assertEquals(NOBODY, ports.read(PortRig.number(3, 1), 0, 4), "one device a link");
        assertEquals(NOBODY, ports.read(PortRig.number(4, 0), 0, 4));
        assertEquals(0xf000, Rig.bar(disk, 0).base());
        assertEquals(0x7f00_0000, Rig.bar(disk, 1).base());
        assertEquals("03:00.0", disk.address().toString());
        assertEquals(0, ports.events(ports.second), "nobody is told");
        assertEquals(new RootPort.SlotState(true, true, true, false), ports.second.state());
        disk.close();
        assertTrue(rig.allFree());
    }

    @Test
    void prefetchableBarsGoWhereThePortPrefetchesOthersNot() throws ClaimException {
        PciFunction card =
                ports.installed(
                        ports.first,
                        "gpu0",
                        Rig.shape(
                                Rig.memory64(0, 1 << 20),
                                new PciShape.Bar(2, PciShape.BarKind.MEMORY_64, false, 1 << 20)));
        assertEquals(PortRig.WIDE.base(), Rig.bar(card, 0).base());
        assertEquals(PortRig.MEMORY.base(), Rig.bar(card, 2).base());
    }

    @Test
    void whatDoesNotFitThePortsWindowIsRefusedWithItsRange() throws ClaimException {
        ports.first.plug("big", Rig.shape(Rig.memory(0, 0x200_0000)), new Rig.Card());
        ports.first.install();
        PciFunction big = ports.first.function().orElseThrow();
        ClaimException refused = assertThrows(ClaimException.class, big::place);
        assertEquals(
                "big bar0 cannot have 0x2000000 bytes aligned to 0x2000000 inside of"
                        + " 0x7e000000-0x7effffff in window 'pci-mmio32'"
                        + " (0x40000000-0x7fffffff): largest hole 0x1000000 bytes,"
                        + " 0x1000000 free in all.",
                refused.getMessage());
    }

    @Test
    void firmwareLeavesThePortsWindowsToThePorts() throws ClaimException {
        PciFunction low = rig.running("low", Rig.shape(Rig.memory(0, 1 << 29)));
        PciShape rest = Rig.shape(Rig.memory(0, 1 << 28));
        PciFunction next = rig.running("next", rest);
        assertEquals(0x4000_0000, Rig.bar(low, 0).base());
        assertEquals(0x6000_0000, Rig.bar(next, 0).base());
        assertThrows(ClaimException.class, () -> rig.running("over the ports", rest));
    }

    @Test
    void theGuestIsToldOfACardByPresenceAndLinkAndSwitchesPowerOn() throws ClaimException {
        ports.enableMsi(ports.first, 0xfee0_0000L, 0x31);
        ports.write(ports.first, PortRig.SLOT_CONTROL, 2, PortRig.LISTENING | PortRig.POWER_OFF);
        ports.clearEvents(ports.first);
        rig.messages.clear();
        PciFunction disk = ports.first.plug("disk0", DISK, new Rig.Card());
        assertEquals(NOBODY, ports.read(BEHIND_FIRST, 0, 4));
        ports.first.insert();
        assertEquals(
                ExpressCapability.EVENT_PRESENCE | ExpressCapability.EVENT_LINK,
                ports.events(ports.first));
        assertEquals(List.of("fee00000=31"), rig.messages);
        assertEquals(new RootPort.SlotState(true, false, true, false), ports.first.state());
        ports.clearEvents(ports.first);
        ports.write(ports.first, PortRig.SLOT_CONTROL, 2, PortRig.LISTENING);
        assertEquals(ExpressCapability.EVENT_COMMAND_COMPLETED, ports.events(ports.first));
        assertEquals(List.of("fee00000=31", "fee00000=31"), rig.messages);
        assertEquals(0x2000, ports.read(ports.first, PortRig.LINK_STATUS, 2) & 0x2000);
        assertEquals(CARD, ports.read(BEHIND_FIRST, 0, 4));
        assertEquals(-1, Rig.bar(disk, 1).base(), "at hot plug BARs arrive zero");
        ports.write(BEHIND_FIRST, 0x14, 4, PortRig.MEMORY.base() + 0x3000);
        ports.write(BEHIND_FIRST, Type0Header.COMMAND, 2, 7);
        assertEquals(0x0100_0010, rig.load(Space.MMIO, PortRig.MEMORY.base() + 0x3010, 4));
        ports.write(ports.first, PortRig.SLOT_CONTROL, 2, PortRig.POWER_OFF);
        assertEquals(NOBODY, ports.read(BEHIND_FIRST, 0, 4), "power counts from now on");
    }

    /** As Linux enables events of a port with a button: not that of presence. */
    @Test
    void aGuestThatListensToButtonAndLinkOnlyIsToldOfACard() throws ClaimException {
        int linux = 0x1031 | PortRig.POWER_OFF;
        ports.enableMsi(ports.first, 0xfee0_0000L, 0x31);
        ports.write(ports.first, PortRig.SLOT_CONTROL, 2, linux);
        ports.clearEvents(ports.first);
        rig.messages.clear();
        PciFunction disk = ports.first.plug("disk0", DISK, new Rig.Card());
        ports.first.insert();
        assertEquals(List.of("fee00000=31"), rig.messages);
        assertEquals(RootPort.Button.POWER_OFF, ports.first.press());
        ports.write(ports.first, PortRig.SLOT_CONTROL, 2, PortRig.POWER_OFF);
        assertEquals(RootPort.Button.NOT_HEEDED, ports.first.press(), "it may be in use");
        ports.write(ports.first, PortRig.SLOT_CONTROL, 2, linux);
        rig.messages.remove(1);
        ports.clearEvents(ports.first);
        disk.close();
        assertEquals(List.of("fee00000=31", "fee00000=31"), rig.messages);
    }

    @Test
    void theGuestConsentsByPowerOffAfterTheButton() throws ClaimException {
        PciFunction disk = ports.installed(ports.first, "disk0", DISK);
        ports.first.occupant(consented -> ports.told.add("lost " + consented));
        assertEquals(RootPort.Button.NOT_HEEDED, ports.first.press());
        assertEquals(0, ports.events(ports.first));
        ports.write(ports.first, PortRig.SLOT_CONTROL, 2, PortRig.LISTENING);
        ports.clearEvents(ports.first);
        assertEquals(RootPort.Button.PRESSED, ports.first.press());
        assertEquals(ExpressCapability.EVENT_BUTTON, ports.events(ports.first));
        assertEquals(List.of(), ports.told);
        ports.write(ports.first, PortRig.SLOT_CONTROL, 2, PortRig.LISTENING | PortRig.POWER_OFF);
        assertEquals(List.of("lost true"), ports.told);
        assertEquals(NOBODY, ports.read(BEHIND_FIRST, 0, 4));
        assertEquals(RootPort.Button.POWER_OFF, ports.first.press());
        disk.close();
        assertFalse(ports.first.state().present());
        assertTrue(rig.allFree());
    }

    /** As Linux does: the indicator goes out a second after the power. */
    @Test
    void theGuestHasNotConsentedWhileTheIndicatorBlinks() throws ClaimException {
        PciFunction disk = ports.installed(ports.first, "disk0", DISK);
        ports.first.occupant(consented -> ports.told.add("lost " + consented));
        ports.write(ports.first, PortRig.SLOT_CONTROL, 2, PortRig.LISTENING | PortRig.BLINKING);
        ports.first.press();
        int off = PortRig.LISTENING | PortRig.POWER_OFF;
        ports.write(ports.first, PortRig.SLOT_CONTROL, 2, off | PortRig.BLINKING);
        assertEquals(List.of("lost false"), ports.told);
        disk.reset();
        ports.first.recovered();
        assertEquals(RootPort.Button.PRESSED, ports.first.press());
        ports.write(ports.first, PortRig.SLOT_CONTROL, 2, off | PortRig.DARK);
        assertEquals(List.of("lost false", "lost true"), ports.told);
        assertEquals(NOBODY, ports.read(BEHIND_FIRST, 0, 4));
    }

    @Test
    void aGuestThatTookTooLongSwitchesOffForItself() throws ClaimException {
        ports.installed(ports.first, "disk0", DISK);
        ports.first.occupant(consented -> ports.told.add("lost " + consented));
        ports.write(ports.first, PortRig.SLOT_CONTROL, 2, PortRig.LISTENING);
        ports.first.press();
        ports.first.withdraw();
        ports.write(ports.first, PortRig.SLOT_CONTROL, 2, PortRig.LISTENING | PortRig.POWER_OFF);
        assertEquals(List.of("lost false"), ports.told);
    }

    @Test
    void aSlotSwitchedOffAndOnGivesTheCardBackOnceItIsReset() throws ClaimException {
        PciFunction disk = ports.installed(ports.first, "disk0", DISK);
        ports.first.occupant(consented -> ports.told.add("lost " + consented));
        ports.write(BEHIND_FIRST, Type0Header.COMMAND, 2, 7);
        assertTrue(Rig.bar(disk, 1).decoding());
        ports.write(ports.first, PortRig.SLOT_CONTROL, 2, PortRig.POWER_OFF);
        assertEquals(List.of("lost false"), ports.told);
        assertEquals(-1, Rig.bar(disk, 1).base());
        ports.write(ports.first, PortRig.SLOT_CONTROL, 2, 0);
        assertEquals(NOBODY, ports.read(BEHIND_FIRST, 0, 4), "not before it is reset");
        disk.reset();
        ports.first.recovered();
        assertEquals(CARD, ports.read(BEHIND_FIRST, 0, 4));
        assertEquals(0, ports.read(BEHIND_FIRST, Type0Header.COMMAND, 2));
    }

    @Test
    void surpriseRemovalIsPresenceAndLinkGone() throws ClaimException {
        PciFunction disk = ports.installed(ports.first, "disk0", DISK);
        ports.enableMsi(ports.first, 0xfee0_0000L, 0x31);
        ports.write(ports.first, PortRig.SLOT_CONTROL, 2, PortRig.LISTENING);
        ports.clearEvents(ports.first);
        rig.messages.clear();
        disk.close();
        assertEquals(
                ExpressCapability.EVENT_PRESENCE | ExpressCapability.EVENT_LINK,
                ports.events(ports.first));
        assertEquals(List.of("fee00000=31"), rig.messages);
        assertEquals(NOBODY, ports.read(BEHIND_FIRST, 0, 4));
        ports.installed(ports.first, "disk1", DISK);
        assertEquals(CARD, ports.read(BEHIND_FIRST, 0, 4));
    }

    @Test
    void withoutMsiThePinIsHighUntilTheGuestHasSeenEverything() throws ClaimException {
        ports.write(ports.first, PortRig.SLOT_CONTROL, 2, PortRig.LISTENING);
        assertEquals(List.of("16A high"), rig.pins);
        assertEquals(8, ports.read(ports.first, Type0Header.STATUS, 2) & 8);
        ports.clearEvents(ports.first);
        assertEquals(List.of("16A high", "16A low"), rig.pins);
        ports.write(ports.first, Type0Header.COMMAND, 2, 0x407);
        ports.write(ports.first, PortRig.SLOT_CONTROL, 2, PortRig.LISTENING);
        assertEquals(2, rig.pins.size(), "interrupts disabled");
    }

    @Test
    void thePinOfACardIsTheOneOfItsPort() throws ClaimException {
        PciFunction disk = ports.installed(ports.second, "disk0", DISK);
        disk.wires().interrupt(true);
        assertEquals(List.of("17A high"), rig.pins);
        ports.write(ports.second, PortRig.SLOT_CONTROL, 2, PortRig.LISTENING);
        assertEquals(List.of("17A high"), rig.pins, "one wire for both");
        disk.wires().interrupt(false);
        assertEquals(List.of("17A high"), rig.pins);
        ports.clearEvents(ports.second);
        assertEquals(List.of("17A high", "17A low"), rig.pins);
        disk.wires().interrupt(true);
        disk.close();
        assertEquals(3, rig.pins.size(), "the port has to say that the card is gone");
        ports.clearEvents(ports.second);
        assertEquals("17A low", rig.pins.get(3));
    }

    @Test
    void aPortThatIsNoBusMasterHoldsMessagesOfItsCardBack() throws ClaimException {
        PciShape shape =
                Rig.shape(
                        java.util.Optional.of(new PciShape.Msix(1, 1, 0, 1, 0x800)),
                        Rig.memory(1, 0x1000));
        PciFunction card = ports.installed(ports.first, "net0", shape);
        ports.write(BEHIND_FIRST, Type0Header.COMMAND, 2, 7);
        long table = Rig.bar(card, 1).base();
        rig.bus.write(Space.MMIO, table, 8, 0xfee0_1000L);
        rig.bus.write(Space.MMIO, table + 8, 8, 0x41);
        ports.write(BEHIND_FIRST, 0x42, 2, 0x8000);
        ports.write(ports.first, Type0Header.COMMAND, 2, 3);
        card.wires().signal(0);
        assertEquals(List.of(), rig.messages);
        ports.write(ports.first, Type0Header.COMMAND, 2, 7);
        assertEquals(List.of("fee01000=41"), rig.messages);
    }

    @Test
    void barsFollowTheWindowsThatTheGuestPrograms() throws ClaimException {
        PciFunction disk = ports.installed(ports.first, "disk0", DISK);
        ports.write(BEHIND_FIRST, Type0Header.COMMAND, 2, 7);
        ports.write(ports.first, 0x20, 4, 0x5000_5000L);
        assertEquals(-1, Rig.bar(disk, 1).base(), "its window has moved away");
        assertEquals(NOBODY, rig.load(Space.MMIO, PortRig.MEMORY.base(), 4));
        ports.write(BEHIND_FIRST, 0x14, 4, 0x5000_1000L);
        assertEquals(0x5000_1000L, Rig.bar(disk, 1).base());
        assertEquals(0x0100_0004, rig.load(Space.MMIO, 0x5000_1004L, 4));
        ports.write(ports.first, 0x20, 4, 0x7ef0_7e00L);
        assertEquals(-1, Rig.bar(disk, 1).base());
        ports.write(ports.first, 0x20, 4, 0x5000_5000L);
        assertEquals(0x5000_1000L, Rig.bar(disk, 1).base(), "tried again");
        ports.write(ports.first, Type0Header.COMMAND, 2, 4);
        assertEquals(-1, Rig.bar(disk, 0).base(), "the port forwards nothing");
        assertEquals(-1, Rig.bar(disk, 1).base());
    }

    @Test
    void configurationGoesToTheBusNumbersThatTheGuestPrograms() throws ClaimException {
        PciFunction disk = ports.installed(ports.first, "disk0", DISK);
        ports.write(ports.first, 0x18, 4, 0x0908_00);
        assertEquals(NOBODY, ports.read(BEHIND_FIRST, 0, 4));
        assertEquals(CARD, ports.read(PortRig.number(8, 0), 0, 4));
        assertEquals(NOBODY, ports.read(PortRig.number(9, 0), 0, 4));
        assertEquals("08:00.0", disk.address().toString());
        ports.write(ports.first, 0x18, 4, 0);
        assertEquals(NOBODY, ports.read(PortRig.number(8, 0), 0, 4));
        assertEquals(0x0008_1b36L, ports.read(0, 0, 4), "bus 0 is never forwarded");
    }

    @Test
    void theResetOfTheSecondaryBusResetsTheCard() throws ClaimException {
        PciFunction disk = ports.installed(ports.first, "disk0", DISK);
        ports.write(BEHIND_FIRST, Type0Header.COMMAND, 2, 7);
        ports.write(ports.first, Type1Header.BRIDGE_CONTROL, 2, 0x40);
        assertEquals(NOBODY, ports.read(BEHIND_FIRST, 0, 4));
        ports.write(ports.first, Type1Header.BRIDGE_CONTROL, 2, 0);
        assertEquals(0, ports.read(BEHIND_FIRST, Type0Header.COMMAND, 2));
        assertEquals(PortRig.MEMORY.base(), Rig.bar(disk, 1).base());
    }

    @Test
    void aMachineResetPutsPortsAndCardsBack() throws Exception {
        PciFunction disk = ports.installed(ports.first, "disk0", DISK);
        ports.write(BEHIND_FIRST, Type0Header.COMMAND, 2, 7);
        ports.write(ports.first, 0x18, 4, 0x0908_00);
        ports.write(ports.first, 0x20, 4, 0x5000_5000L);
        ports.write(ports.first, PortRig.SLOT_CONTROL, 2, PortRig.LISTENING);
        rig.bridge.configMechanism1().write(0, 4, 0x8000_0000L);
        rig.bridge.reset();
        rig.bridge.preset();
        disk.reset();
        assertEquals(0, rig.bridge.configMechanism1().read(0, 4));
        assertEquals(ports.first.preset(), ports.first.programmed());
        assertEquals(PortRig.MEMORY.base(), Rig.bar(disk, 1).base());
        assertEquals(CARD, ports.read(BEHIND_FIRST, 0, 4));
        assertEquals(0, ports.events(ports.first));
        assertFalse(ports.second.state().present());
    }

    @Test
    void aCardThatCameWhileTheGuestRanIsPlacedAtTheNextBoot() throws ClaimException {
        PciFunction disk = ports.first.plug("disk0", DISK, new Rig.Card());
        ports.first.insert();
        assertEquals(-1, Rig.bar(disk, 1).base());
        disk.reset();
        rig.bridge.reset();
        rig.bridge.preset();
        assertEquals(PortRig.MEMORY.base(), Rig.bar(disk, 1).base());
        assertEquals(PortRig.IO.base(), Rig.bar(disk, 0).base());
        assertEquals(CARD, ports.read(BEHIND_FIRST, 0, 4));
    }

    @Test
    void whatTheGuestIsToPlaceHasToFitThePort() throws ClaimException {
        assertFits(Rig.shape(Rig.memory64(0, 1L << 32), Rig.memory(2, 1 << 24)));
        assertFits(Rig.shape(Rig.memory64(0, 1L << 24), Rig.io(2, 0x1000)));
        assertDoesNotFit(
                Rig.shape(Rig.memory(0, 1 << 24), Rig.memory(1, 16)),
                "disk0 bar1 of 0x10 bytes does not fit port 1: its 32-bit memory window has 0x0 bytes left.");
        assertDoesNotFit(
                Rig.shape(Rig.memory64(0, 1L << 33)),
                "disk0 bar0 of 0x200000000 bytes does not fit port 1: its 64-bit memory window has 0x100000000 bytes left.");
        assertDoesNotFit(
                Rig.shape(Rig.io(0, 0x1000), Rig.io(1, 4)),
                "disk0 bar1 of 0x4 bytes does not fit port 1: its I/O window has 0x0 bytes left.");
    }

    private void assertFits(PciShape shape) throws ClaimException {
        try (PciFunction card = ports.first.plug("disk0", shape, new Rig.Card())) {
            ports.first.requireRoom(card);
        }
    }

    private void assertDoesNotFit(PciShape shape, String reason) throws ClaimException {
        try (PciFunction card = ports.first.plug("disk0", shape, new Rig.Card())) {
            ClaimException refused =
                    assertThrows(ClaimException.class, () -> ports.first.requireRoom(card));
            assertEquals(reason, refused.getMessage());
        }
    }

    @Test
    void aPortTakesOneCard() throws ClaimException {
        ports.installed(ports.first, "disk0", DISK);
        ClaimException refused =
                assertThrows(
                        ClaimException.class,
                        () -> ports.first.plug("disk1", DISK, new Rig.Card()));
        assertEquals(
                "disk1 cannot be plugged into port 1: disk0 is there; unplug that, or give another port.",
                refused.getMessage());
        ClaimException taken =
                assertThrows(
                        ClaimException.class,
                        () -> rig.bridge.plug("disk1", 0x11, DISK, new Rig.Card()));
        assertEquals("disk1 cannot be PCI device 17: port 2 has that number.", taken.getMessage());
        assertEquals(1, rig.plug("disk2", WIDE).device());
    }

    @Test
    void rejectsWindowsThatABridgeCannotHave() {
        assertThrows(
                IllegalArgumentException.class,
                () -> new RootPortWindows(1, 2, new AddressRange(0xe100, 0x1000), null, null));
        assertThrows(
                IllegalArgumentException.class,
                () ->
                        rig.bridge.addRootPort(
                                5,
                                3,
                                new RootPortWindows(
                                        5, 6, null, new AddressRange(0, 0x10_0000), null)));
        assertThrows(
                IllegalArgumentException.class,
                () -> rig.bridge.addRootPort(0x10, 3, new RootPortWindows(5, 6, null, null, null)));
    }

    @Test
    void aClosedWindowIsProgrammedClosed() {
        RootPort none = rig.bridge.addRootPort(5, 3, new RootPortWindows(5, 6, null, null, null));
        rig.bridge.preset();
        assertEquals(none.preset(), none.programmed());
    }
}
