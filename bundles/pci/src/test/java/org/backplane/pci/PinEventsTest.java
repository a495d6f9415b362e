package org.backplane.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Optional;
import org.backplane.bus.ClaimException;
import org.backplane.device.context.Lease;
import org.backplane.linux.EventFd;
import org.backplane.linux.LinuxException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The pin between two eventfds: over threads, by the host's kernel, and from one to the other. */
class PinEventsTest {
    private static final int DISABLED = 0x407;
    private static final int ENABLED = 0x007;

    private final Rig rig = new Rig();
    private final TriggersSeen triggers = new TriggersSeen();
    private final EventFd event = EventFd.open();
    private final EventFd resample = EventFd.open();
    private final Telling card = new Telling();
    private final PciFunction function;

    PinEventsTest() throws ClaimException, LinuxException {
        function = rig.bridge.plug("rtl8139", -1, shape(), card);
        function.place();
        rig.command(function, ENABLED);
    }

    private static PciShape shape() {
        return Rig.Parts.NONE.with(new PciShape.Msi(1, true, false)).shape(Rig.memory(0, 0x1000));
    }

    @AfterEach
    void close() {
        event.close();
        resample.close();
    }

    /** A device that tells the level of its pin. */
    private static final class Telling implements BarHandler {
        private boolean asserted;

        @Override
        public long read(int bar, long offset, int width) {
            return -1;
        }

        @Override
        public void write(int bar, long offset, int width, long value) {
            // It has no registers.
        }

        @Override
        public boolean pinAsserted() {
            return asserted;
        }
    }

    private PciWires connected(boolean routing, boolean telling) {
        rig.routing = routing;
        PciWires wires = function.deviceWires(triggers, telling);
        wires.attach(event, resample);
        function.connect(wires);
        return wires;
    }

    private boolean status() {
        return (rig.read(function, Type0Header.STATUS, 2) & Type0Header.STATUS_INTERRUPT) != 0;
    }

    private void expectPins(String... seen) {
        assertEquals(List.of(seen), rig.pins);
        rig.pins.clear();
    }

    @Test
    void theKernelCarriesThePinOfADeviceThatTellsItsLevel() {
        connected(true, true);
        expectPins("1A routed");
        assertEquals("hold", triggers.of(event), "the eventfd is the kernel's alone");
        assertEquals(0, rig.listeners("1A"));
        assertEquals(false, status());
        card.asserted = true;
        assertEquals(true, status());
        assertEquals(0x0018_0006L, rig.read(function, Type0Header.COMMAND, 4));
        assertEquals(0x18, rig.read(function, Type0Header.STATUS, 1));
        assertEquals(0, rig.read(function, Type0Header.STATUS + 1, 1));
    }

    @Test
    void threadsCarryWhatTheKernelCannotOrNobodyTells() {
        PciWires first = connected(false, true);
        assertEquals("report", triggers.of(event));
        rig.routing = true;
        rig.command(function, DISABLED);
        rig.command(function, ENABLED);
        assertEquals("report", triggers.of(event), "it is not tried again and again");
        function.disconnect(first);
        connected(true, false);
        card.asserted = true;
        assertEquals(false, status(), "the register file knows");
        triggers.signal(event);
        assertEquals(true, status());
        expectPins("1A high");
    }

    @Test
    void aPinThatTheGuestDisablesIsShownInStatusAndDrivenNowhere() {
        connected(true, true);
        rig.command(function, DISABLED);
        expectPins("1A routed", "1A not routed");
        assertEquals("report", triggers.of(event));
        assertEquals(1, resample.drain(), "the kernel may have taken a signal");
        triggers.signal(event);
        assertEquals(true, status());
        expectPins();
        rig.command(function, ENABLED);
        expectPins("1A routed");
        assertEquals(1, resample.drain(), "who still needs service signals again, to the kernel");
    }

    @Test
    void msiTakesTheRouteAwayAndGivesItBack() {
        connected(true, true);
        int control = rig.read(function, 0x40, 1) == MsiLayout.ID ? 0x42 : -1;
        rig.write(function, control, 2, 1);
        expectPins("1A routed", "1A not routed");
        triggers.signal(event);
        expectPins();
        rig.write(function, control, 2, 0);
        expectPins("1A routed");
    }

    @Test
    void aThreadThatWasSlowGivesItsSignalToTheRoute() {
        connected(true, true);
        triggers.signal(event);
        assertEquals(1, event.drain());
        expectPins("1A routed");
    }

    @Test
    void aDeviceThatLeavesWithItsPinHighIsAskedAgain() {
        PciWires wires = connected(false, false);
        triggers.signal(event);
        function.disconnect(wires);
        expectPins("1A high", "1A low");
        assertEquals(1, resample.drain());
        assertEquals("hold", triggers.of(event));
        triggers.signal(event);
        assertEquals(1, event.drain(), "it stays for the next");
        function.connect(wires);
        triggers.signal(event);
        expectPins("1A high");
        rig.finish("1A");
        expectPins("1A low");
        assertEquals(1, resample.drain());
    }

    @Test
    void aDeviceThatLeavesItsRouteIsAskedAgainAndTheNextHasItsOwn() {
        PciWires first = connected(true, true);
        function.disconnect(first);
        expectPins("1A routed", "1A not routed");
        assertEquals(1, resample.drain());
        connected(true, true);
        expectPins("1A routed");
    }

    @Test
    void aResetForgetsWhatTheGuestHasNotFinishedWith() {
        connected(false, false);
        triggers.signal(event);
        function.reset();
        expectPins("1A high", "1A low");
        assertEquals(1, resample.drain());
        assertEquals(false, status());
        rig.finish("1A");
        assertEquals(0, resample.drain());
    }

    @Test
    void aResetTakesTheRouteAnew() {
        connected(true, true);
        function.reset();
        expectPins("1A routed", "1A not routed", "1A routed");
        assertEquals(1, resample.drain());
    }

    @Test
    void closingTheLeaseEndsTheRouteAndAsksNobody() {
        rig.routing = true;
        PciWires wires = function.deviceWires(triggers, true);
        Lease lease = wires.attach(event, resample);
        function.connect(wires);
        lease.close();
        lease.close();
        expectPins("1A routed", "1A not routed");
        assertEquals(0, resample.drain());
        assertEquals("close", triggers.of(event));
        assertEquals(0, rig.listeners("1A"));
        wires.attach(event, resample);
        expectPins("1A routed");
    }

    @Test
    void theEndOfAnothersInterruptOnTheLineIsNotThisOnes() {
        connected(false, false);
        rig.finish("1A");
        assertEquals(0, resample.drain());
        triggers.signal(event);
        triggers.signal(event);
        rig.finish("1A");
        rig.finish("1A");
        assertEquals(1, resample.drain());
        expectPins("1A high", "1A low");
    }

    @Test
    void aPinBehindAPortIsRoutedToThePortsLineWhileTheLinkIsUp() throws ClaimException {
        PortRig ports = new PortRig();
        ports.rig.routing = true;
        PciFunction behind = ports.installed(ports.first, "rtl8139", shape());
        PciWires wires = behind.deviceWires(triggers, true);
        wires.attach(event, resample);
        behind.connect(wires);
        assertEquals(List.of("16A routed"), ports.rig.pins);
        ports.write(ports.first, PortRig.LINK_CONTROL, 2, ExpressCapability.LINK_DISABLE);
        assertEquals("16A not routed", ports.rig.pins.get(1));
    }

    @Test
    void refusesAFunctionWithoutAPin() throws ClaimException {
        PciFunction pinless =
                rig.plug(
                        "nvme",
                        new PciShape(1, 2, 0, 0, 0, 0, 0, List.of(), List.of(), Optional.empty()));
        PciWires wires = pinless.deviceWires(triggers);
        assertThrows(IllegalStateException.class, () -> wires.attach(event, resample));
    }
}
