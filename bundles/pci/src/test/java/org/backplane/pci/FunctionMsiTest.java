package org.backplane.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.backplane.bus.ClaimException;
import org.backplane.bus.Space;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.linux.EventFd;
import org.backplane.linux.LinuxException;
import org.backplane.testkit.DamagedState;
import org.backplane.testkit.GoldenState;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** MSI of a function as a driver and a device use it (PCI 3.0, section 6.8.1). */
class FunctionMsiTest {
    private static final String GOLDEN = "pci-function-msi-v1.properties";
    private static final int AT = 0x50;
    private static final int CONTROL = AT + MsiLayout.CONTROL;

    private final Rig rig = new Rig();
    private final TriggersSeen triggers = new TriggersSeen();
    private final List<EventFd> events = new ArrayList<>();

    @AfterEach
    void closeEvents() {
        events.forEach(EventFd::close);
    }

    private EventFd event() throws LinuxException {
        EventFd event = EventFd.open();
        events.add(event);
        return event;
    }

    private static PciShape.Msi msi(int vectors, boolean wide, boolean maskable) {
        return new PciShape.Msi(vectors, wide, maskable, OptionalInt.of(AT));
    }

    private PciFunction running(PciShape.Msi msi) throws ClaimException {
        return rig.running("r8168", Rig.Parts.NONE.with(msi).shape(Rig.memory(0, 0x1000)));
    }

    /** As a guest does: message, mask, then control with 2^exponent messages granted. */
    private void enable(PciFunction function, int exponent, int data) {
        MsiLayout layout = MsiLayout.of(function.shape().msi().orElseThrow());
        rig.write(function, AT + MsiLayout.ADDRESS, 4, 0xfee0_1000L);
        if (layout.wide()) {
            rig.write(function, AT + MsiLayout.UPPER_ADDRESS, 4, 0);
        }
        rig.write(function, AT + layout.data(), 2, data);
        rig.write(function, CONTROL, 2, 1 | exponent << 4);
    }

    @Test
    void theCapabilityShowsWhatTheFunctionCan() throws ClaimException {
        assertEquals(0x0180_0005L, rig.read(running(msi(1, true, true)), AT, 4));
        assertEquals(0x0086_0005L, rig.read(running(msi(8, true, false)), AT, 4));
        assertEquals(0x000a_0005L, rig.read(running(msi(32, false, false)), AT, 4));
        PciFunction function = running(msi(2, false, true));
        assertEquals(AT, rig.read(function, Type0Header.CAPABILITIES_POINTER, 1));
        rig.write(function, AT + 12, 4, -1);
        assertEquals(0b11, rig.read(function, AT + 12, 4), "two mask bits");
        rig.write(function, AT, 4, -1);
        assertEquals(0x0173_0005L, rig.read(function, AT, 4), "enable and granted");
    }

    @Test
    void vectorsLeaveWithTheirNumberInTheLowBitsOfTheData() throws ClaimException {
        PciFunction function = running(msi(8, true, false));
        PciWires wires = function.wires();
        wires.signalMsi(3);
        assertEquals(List.of(), rig.messages, "switched off");
        enable(function, 3, 0x40);
        wires.signalMsi(0);
        wires.signalMsi(5);
        enable(function, 2, 0x40);
        wires.signalMsi(5);
        assertEquals(List.of("fee01000=40", "fee01000=45", "fee01000=41"), rig.messages);
        assertEquals(3, function.traffic().interrupts());
        assertThrows(IllegalArgumentException.class, () -> wires.signalMsi(8));
        assertThrows(IllegalArgumentException.class, () -> wires.signal(0));
    }

    @Test
    void vectorsWithoutMaskBitsAreOpenFromTheStart() throws ClaimException {
        PciFunction function = running(msi(1, true, false));
        enable(function, 0, 0x31);
        assertTrue(function.interrupts().open(0));
        function.wires().signalMsi(0);
        assertEquals(List.of("fee01000=31"), rig.messages);
    }

    @Test
    void aMaskedVectorStaysPendingUntilTheGuestUnmasksIt() throws ClaimException {
        PciFunction function = running(msi(4, true, true));
        int mask = AT + 16;
        int pending = AT + 20;
        rig.write(function, mask, 4, 0b1111);
        enable(function, 2, 0x40);
        function.wires().signalMsi(2);
        assertEquals(0b100, rig.read(function, pending, 4));
        rig.write(function, mask, 4, 0b0111);
        assertEquals(List.of(), rig.messages);
        rig.write(function, mask, 4, 0b0011);
        assertEquals(List.of("fee01000=42"), rig.messages);
        assertEquals(0, rig.read(function, pending, 4));
        function.wires().signalMsi(1);
        rig.write(function, CONTROL, 2, 0);
        assertEquals(0, rig.read(function, pending, 4), "switching off forgets");
    }

    @Test
    void aDeviceThatIsNotThereYetIsHeardOnceItIs() throws ClaimException {
        PciFunction function = running(msi(2, true, true));
        enable(function, 1, 0x40);
        PciWires wires = function.deviceWires();
        wires.signalMsi(1);
        wires.signalMsi(1);
        assertEquals(List.of(), rig.messages);
        function.connect(wires);
        assertEquals(List.of("fee01000=41"), rig.messages);
    }

    @Test
    void msiExcludesThePinWhichIsBackOnAfterwards() throws ClaimException {
        PciFunction function = running(msi(1, true, false));
        function.wires().interrupt(true);
        enable(function, 0, 1);
        rig.write(function, CONTROL, 2, 0);
        assertEquals(List.of("1A high", "1A low", "1A high"), rig.pins);
        enable(function, 0, 1);
        function.wires().interrupt(false);
        rig.write(function, CONTROL, 2, 0);
        assertEquals(4, rig.pins.size(), "a level that fell meanwhile is not raised");
    }

    @Test
    void msixExcludesMsiBesideIt() throws ClaimException {
        PciFunction function =
                rig.running(
                        "r8168",
                        Rig.Parts.NONE
                                .with(msi(1, true, true))
                                .with(new PciShape.Msix(4, 0, 0, 0, 0x800, OptionalInt.of(0xb0)))
                                .shape(Rig.memory(0, 0x1000)));
        enable(function, 0, 7);
        rig.write(function, 0xb2, 2, 0x8000);
        assertEquals(Interrupts.Mode.MSIX, function.interrupts().mode());
        function.wires().signalMsi(0);
        assertEquals(List.of(), rig.messages);
        rig.write(function, 0xb2, 2, 0);
        assertEquals(Interrupts.Mode.MSI, function.interrupts().mode());
        function.wires().signalMsi(0);
        assertEquals(List.of("fee01000=7"), rig.messages);
    }

    @Test
    void aFunctionThatGoesOverToMsiLowersItsOwnPinOnly() throws ClaimException {
        PciFunction first = running(msi(1, true, false));
        PciFunction second = running(msi(1, true, false));
        first.wires().interrupt(true);
        second.wires().interrupt(true);
        enable(first, 0, 1);
        assertEquals(List.of("1A high", "2A high", "1A low"), rig.pins);
    }

    @Test
    void eventfdsAreDeliveredWithTheDataOfTheirVector() throws Exception {
        PciFunction function = running(msi(4, true, true));
        PciWires wires = function.deviceWires(triggers);
        EventFd first = event();
        EventFd last = event();
        wires.triggerMsi(0, first);
        wires.triggerMsi(3, last);
        function.connect(wires);
        assertEquals("report", triggers.of(last));
        enable(function, 2, 0x40);
        assertEquals("deliver fee01000=40", triggers.of(first));
        assertEquals("deliver fee01000=43", triggers.of(last));
        enable(function, 1, 0x40);
        assertEquals("deliver fee01000=41", triggers.of(last), "of two granted");
        enable(function, 2, 0x40);
        rig.write(function, AT + 16, 4, 0b1000);
        assertEquals("report", triggers.of(last));
        assertEquals("deliver fee01000=40", triggers.of(first));
        triggers.signal(last);
        assertEquals(0b1000, rig.read(function, AT + 20, 4));
        rig.write(function, AT + 16, 4, 0);
        assertEquals(List.of("fee01000=43"), rig.messages);
        rig.command(function, 0x3);
        assertEquals("report", triggers.of(first), "no bus master");
        rig.command(function, 0x7);
        assertEquals("deliver fee01000=40", triggers.of(first));
        function.disconnect(wires);
        assertEquals("hold", triggers.of(first));
    }

    @Test
    void withoutPendingBitsSignalsWaitInTheEventfdForTheBusMaster() throws Exception {
        PciFunction function = running(msi(1, true, false));
        PciWires wires = function.deviceWires(triggers);
        EventFd event = event();
        wires.triggerMsi(0, event);
        function.connect(wires);
        enable(function, 0, 9);
        rig.command(function, 0x3);
        assertEquals("hold", triggers.of(event));
        rig.command(function, 0x7);
        assertEquals("deliver fee01000=9", triggers.of(event));
        rig.write(function, CONTROL, 2, 0);
        assertEquals("report", triggers.of(event), "what comes while it is off is forgotten");
        triggers.signal(event);
        assertEquals(List.of(), rig.messages);
    }

    @Test
    void oneEventfdAVectorAndMsiApartFromMsix() throws Exception {
        PciFunction function =
                rig.running(
                        "nic",
                        Rig.Parts.NONE
                                .with(msi(1, true, false))
                                .with(new PciShape.Msix(2, 0, 0, 0, 0x800))
                                .shape(Rig.memory(0, 0x1000)));
        PciWires wires = function.deviceWires(triggers);
        EventFd event = event();
        wires.triggerMsi(0, event);
        assertThrows(IllegalStateException.class, () -> wires.triggerMsi(0, event));
        assertThrows(IllegalArgumentException.class, () -> wires.triggerMsi(1, event));
        EventFd other = event();
        wires.trigger(0, other);
        function.connect(wires);
        enable(function, 0, 9);
        assertEquals("deliver fee01000=9", triggers.of(event));
        assertEquals("report", triggers.of(other));
    }

    @Test
    void resetSwitchesItOffAndForgets() throws ClaimException {
        PciFunction function = running(msi(2, true, true));
        rig.write(function, AT + 16, 4, 0b11);
        enable(function, 1, 0x40);
        function.wires().signalMsi(1);
        function.reset();
        assertEquals(Interrupts.Mode.INTX, function.interrupts().mode());
        assertEquals(0, rig.read(function, AT + 16, 4));
        assertEquals(0, rig.read(function, AT + 20, 4));
        assertEquals(0, rig.read(function, AT + 4, 4));
        rig.command(function, 0x7);
        enable(function, 1, 0x40);
        assertEquals(List.of(), rig.messages);
    }

    /** A function in the middle of its life: the state of the golden file. */
    private PciFunction busy(Rig at) throws ClaimException {
        PciFunction function = at.running("r8168", stateful());
        rig.write(function, AT + 16, 4, 0b1000);
        enable(function, 2, 0x40);
        function.wires().signalMsi(3);
        rig.write(function, 0x108, 4, 0x5a);
        return function;
    }

    private static PciShape stateful() {
        return Rig.Parts.NONE
                .with(msi(8, true, true))
                .with(
                        new PciShape.ExtendedCapability(
                                0x100, 0x0b, 1, new byte[8], new byte[] {0, 0, 0, 0, -1, 0, 0, 0}))
                .shape(Rig.memory(0, 0x1000));
    }

    @Test
    void savesWhatTheGoldenFileHolds() throws Exception {
        GoldenState.requireSame(FunctionMsiTest.class, GOLDEN, busy(rig).save());
    }

    @Test
    void goesOnFromTheGoldenFile() throws Exception {
        PciFunction function = rig.plug("r8168", stateful());
        function.restore(GoldenState.read(FunctionMsiTest.class, GOLDEN));
        assertEquals(0x5a, rig.read(function, 0x108, 4));
        assertEquals(Interrupts.Mode.MSI, function.interrupts().mode());
        assertEquals(4, function.interrupts().granted());
        function.wires().signalMsi(1);
        rig.write(function, AT + 16, 4, 0);
        assertEquals(List.of("fee01000=41", "fee01000=43"), rig.messages);
    }

    @Test
    void aStateFromBeforeExtendedRegistersLeavesThemAsTheyWereMade() throws Exception {
        PciFunction function = rig.plug("r8168", stateful());
        function.restore(
                DamagedState.without(GoldenState.read(FunctionMsiTest.class, GOLDEN), "extended"));
        assertEquals(0, rig.read(function, 0x108, 4));
        assertEquals(0x0001_000bL, rig.read(function, 0x100, 4));
    }

    @Test
    void refusesExtendedRegistersThatAreNotItsOwn() throws Exception {
        SavedState golden = GoldenState.read(FunctionMsiTest.class, GOLDEN);
        byte[] foreign = golden.bytes("extended");
        foreign[0x40] = 1;
        PciFunction function = rig.plug("r8168", stateful());
        SavedState state = DamagedState.copy(golden).bytes("extended", foreign).build();
        DeviceException refusal =
                assertThrows(DeviceException.class, () -> function.restore(state));
        assertTrue(refusal.getMessage().contains("0x140"), refusal::getMessage);
        assertEquals(0xffff_ffffL, rig.load(Space.MMIO, Rig.LOW.base(), 4));
    }
}
