package org.backplane.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.backplane.bus.ClaimException;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.testkit.DamagedState;
import org.backplane.testkit.GoldenState;
import org.junit.jupiter.api.Test;

class HostBridgeStateTest {
    private static final String GOLDEN = "host-bridge-v1.properties";
    private static final String FUNCTION_ONLY = "host-bridge-function-v1.properties";
    private static final PciShape DISK = Rig.shape(Rig.io(0, 32), Rig.memory(1, 0x1000));
    private static final int MOVED_BUS = PortRig.number(8, 0);

    /** A guest that moved a port's bus and window, and was asked for the card: the golden file. */
    private static PortRig busy() throws ClaimException {
        PortRig ports = new PortRig();
        PciFunction disk = ports.installed(ports.first, "disk0", DISK);
        ports.enableMsi(ports.first, 0xfee0_0000L, 0x31);
        ports.write(ports.first, 0x18, 4, 0x0908_00);
        ports.write(ports.first, 0x20, 4, 0x5000_5000L);
        ports.write(MOVED_BUS, 0x14, 4, 0x5000_1000L);
        ports.write(MOVED_BUS, Type0Header.COMMAND, 2, 7);
        ports.write(ports.first, PortRig.SLOT_CONTROL, 2, PortRig.LISTENING);
        ports.clearEvents(ports.first);
        ports.first.press();
        ports.rig.bridge.configMechanism1().write(0, 4, 0x8008_0004L);
        assertEquals(0x5000_1000L, Rig.bar(disk, 1).base());
        return ports;
    }

    @Test
    void savesWhatTheGoldenFileHolds() throws Exception {
        GoldenState.requireSame(HostBridgeStateTest.class, GOLDEN, busy().rig.bridge.save());
    }

    @Test
    void aRestoredPortGoesOnWhereItWas() throws Exception {
        PortRig before = busy();
        SavedState disk = before.first.function().orElseThrow().save();
        PortRig after = new PortRig();
        after.rig.bridge.restore(GoldenState.read(HostBridgeStateTest.class, GOLDEN));
        PciFunction function = after.first.plug("disk0", DISK, new Rig.Card());
        after.first.occupant(consented -> after.told.add("lost " + consented));
        function.restore(disk);
        after.rig.bridge.resume();
        assertEquals(0x5000_1000L, Rig.bar(function, 1).base());
        assertEquals("08:00.0", function.address().toString());
        assertEquals(0x8008_0004L, after.rig.bridge.configMechanism1().read(0, 4));
        assertEquals(before.rig.bridge.save(), after.rig.bridge.save());
        after.write(after.first, PortRig.SLOT_CONTROL, 2, PortRig.LISTENING | PortRig.POWER_OFF);
        assertEquals(List.of("lost true"), after.told, "the button was pressed before");
        function.close();
        assertTrue(after.rig.allFree());
    }

    @Test
    void whatWasBeingResetIsResetAfterTheRestore() throws Exception {
        PortRig before = busy();
        before.first.occupant(consented -> before.told.add("lost " + consented));
        before.first.withdraw();
        before.write(before.first, PortRig.SLOT_CONTROL, 2, PortRig.LISTENING | PortRig.POWER_OFF);
        before.write(before.first, PortRig.SLOT_CONTROL, 2, PortRig.LISTENING);
        SavedState bridge = before.rig.bridge.save();
        PortRig after = new PortRig();
        after.rig.bridge.restore(bridge);
        after.first.plug("disk0", DISK, new Rig.Card());
        assertEquals(0xffff_ffffL, after.read(MOVED_BUS, 0, 4));
        after.rig.bridge.resume();
        assertEquals(0x8168_10ecL, after.read(MOVED_BUS, 0, 4));
    }

    @Test
    void aCardThatHadJustComeIsThereAfterTheRestore() throws Exception {
        PortRig before = new PortRig();
        before.first.plug("disk0", DISK, new Rig.Card());
        before.first.insert();
        PortRig after = new PortRig();
        after.rig.bridge.restore(before.rig.bridge.save());
        after.first.plug("disk0", DISK, new Rig.Card());
        after.write(after.first, Type0Header.COMMAND, 2, 7);
        assertEquals(0x8168_10ecL, after.read(PortRig.number(1, 0), 0, 4));
    }

    @Test
    void aBridgeSavedBeforeItHadPortsIsTaken() throws Exception {
        Rig plain = new Rig();
        plain.write(plain.bridge.hostFunction(), Type0Header.INTERRUPT_LINE, 1, 5);
        GoldenState.requireSame(
                HostBridgeStateTest.class, FUNCTION_ONLY, plain.bridge.hostFunction().save());
        Rig other = new Rig();
        other.bridge.restore(GoldenState.read(HostBridgeStateTest.class, FUNCTION_ONLY));
        assertEquals(5, other.read(other.bridge.hostFunction(), Type0Header.INTERRUPT_LINE, 1));
    }

    @Test
    void refusesABridgeWithOtherPorts() throws Exception {
        SavedState ports = busy().rig.bridge.save();
        assertEquals(
                "The state of 'host-bridge', version 1, is damaged or of another device:"
                        + " it has 2 root ports, this bridge 0.",
                assertThrows(DeviceException.class, () -> new Rig().bridge.restore(ports))
                        .getMessage());
        SavedState none = new Rig().bridge.save();
        assertTrue(
                assertThrows(DeviceException.class, () -> new PortRig().rig.bridge.restore(none))
                        .getMessage()
                        .contains("the root port at device 16 is missing"));
    }

    /** Every change alone: refused with nothing changed, or taken as it is. */
    @Test
    void refusesDamageOrTakesItAsItIs() throws Exception {
        HostBridge bridge = new PortRig().rig.bridge;
        SavedState golden = GoldenState.read(HostBridgeStateTest.class, GOLDEN);
        bridge.restore(golden);
        for (DamagedState damaged : DamagedState.of(golden)) {
            SavedState before = bridge.save();
            try {
                bridge.restore(damaged.state());
            } catch (DeviceException refused) {
                assertEquals(before, bridge.save(), damaged::what);
                continue;
            }
            bridge.save();
        }
    }
}
