package org.backplane.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.backplane.bus.ClaimException;
import org.junit.jupiter.api.Test;

class InterruptPinTest {
    private final Rig rig = new Rig();

    private final PciFunction function;

    InterruptPinTest() throws ClaimException {
        function =
                rig.running(
                        "net0",
                        Rig.shape(
                                Optional.of(new PciShape.Msix(1, 0, 0, 0, 0x800)),
                                Rig.memory(0, 0x1000)));
    }

    private long status() {
        return rig.read(function, Type0Header.STATUS, 2) & Type0Header.STATUS_INTERRUPT;
    }

    @Test
    void followsTheDeviceAndShowsInStatus() {
        function.wires().interrupt(true);
        assertEquals(Type0Header.STATUS_INTERRUPT, status());
        function.wires().interrupt(true);
        function.wires().interrupt(false);
        assertEquals(0, status());
        assertEquals(List.of("1A high", "1A low"), rig.pins);
    }

    @Test
    void aDeviceThatIsNotThereYetIsHeardOnceItIs() {
        PciWires wires = function.deviceWires();
        wires.interrupt(true);
        wires.signal(0);
        assertEquals(List.of(), rig.pins);
        function.connect(wires);
        assertEquals(List.of("1A high"), rig.pins);
        function.disconnect(wires);
        wires.interrupt(false);
        assertEquals(List.of("1A high"), rig.pins);
    }

    @Test
    void aDeviceThatNeverSetThePinLeavesItAsItWas() {
        PciWires before = function.deviceWires();
        function.connect(before);
        before.interrupt(true);
        function.disconnect(before);
        function.connect(function.deviceWires());
        assertEquals(List.of("1A high"), rig.pins);
    }

    @Test
    void wiresRefuseAVectorThatTheFunctionHasNot() {
        PciWires wires = function.deviceWires();
        assertThrows(IllegalArgumentException.class, () -> wires.signal(1));
        assertThrows(IllegalArgumentException.class, () -> function.wires().signal(-1));
    }

    @Test
    void intxDisableHoldsThePinButNotTheStatus() {
        rig.command(function, 0x407);
        function.wires().interrupt(true);
        assertEquals(Type0Header.STATUS_INTERRUPT, status());
        assertEquals(List.of(), rig.pins);
        rig.command(function, 0x007);
        assertEquals(List.of("1A high"), rig.pins);
        rig.command(function, 0x407);
        assertEquals(List.of("1A high", "1A low"), rig.pins);
    }

    @Test
    void msixExcludesThePin() {
        function.wires().interrupt(true);
        rig.write(function, 0x42, 2, 0x8000);
        rig.write(function, 0x42, 2, 0);
        assertEquals(List.of("1A high", "1A low", "1A high"), rig.pins);
    }

    @Test
    void theGuestCannotWriteTheStatusBit() {
        function.wires().interrupt(true);
        rig.write(function, Type0Header.STATUS, 2, 0xffff);
        assertEquals(Type0Header.STATUS_INTERRUPT, status());
    }

    @Test
    void resetAndCloseLowerIt() throws ClaimException {
        function.wires().interrupt(true);
        function.reset();
        assertEquals(0, status());
        PciFunction other = rig.running("b", Rig.shape());
        other.wires().interrupt(true);
        other.close();
        other.wires().interrupt(true);
        assertEquals(List.of("1A high", "1A low", "2A high", "2A low"), rig.pins);
    }

    @Test
    void aFunctionWithoutAPinDrivesNone() throws ClaimException {
        PciFunction other =
                rig.plug(
                        "b",
                        new PciShape(1, 2, 0, 0, 0, 0, 0, List.of(), List.of(), Optional.empty()));
        other.wires().interrupt(true);
        assertEquals(List.of(), rig.pins);
    }

    @Test
    void aLevelDrivenFromWithinTheRouterIsNotLost() throws ClaimException {
        List<Boolean> levels = new ArrayList<>();
        PciFunction[] echo = new PciFunction[1];
        HostBridge bridge =
                new HostBridge(
                        rig.bus,
                        new HostBridge.Windows(rig.io, rig.mmio32, rig.mmio64),
                        (address, data) -> {},
                        (device, pin, high) -> {
                            levels.add(high);
                            if (high) {
                                echo[0].wires().interrupt(false);
                            }
                        });
        echo[0] = bridge.plug("echo", -1, Rig.shape(), new Rig.Card());
        echo[0].wires().interrupt(true);
        assertEquals(List.of(true, false), levels);
    }
}
