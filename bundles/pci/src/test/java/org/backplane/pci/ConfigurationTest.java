package org.backplane.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.backplane.bus.ClaimException;
import org.junit.jupiter.api.Test;

/** What a driver finds in configuration space. */
class ConfigurationTest {
    private final Rig rig = new Rig();

    @Test
    void plainMechanismHas256BytesOfEachFunction() throws Exception {
        PciFunction function = rig.plug("net0", Rig.shape());
        long at = (long) function.device() << 11;
        assertEquals(0x8168_10ecL, rig.bridge.cam().read(at, 4));
        rig.bridge.cam().write(at + Type0Header.COMMAND, 2, 4);
        assertEquals(4, rig.read(function, Type0Header.COMMAND, 2));
        assertEquals(0xffffL, rig.bridge.cam().read(at + (1 << 8), 2), "function 1");
        assertEquals(0xffffL, rig.bridge.cam().read(at + (1 << 16), 2), "bus 1");
    }

    @Test
    void showsTheHostBridgeAsTheFirstFunction() {
        assertEquals(0x0008_1b36L, rig.bridge.ecam().read(0, 4));
        assertEquals(0x0600_0000L, rig.bridge.ecam().read(8, 4));
        assertEquals(0, rig.bridge.ecam().read(0x10, 4));
        assertEquals(0, rig.bridge.hostFunction().device());
        assertEquals(List.of(), rig.bridge.functions());
    }

    @Test
    void readsAllOnesWhereNoFunctionIs() throws ClaimException {
        PciFunction function = rig.plug("net0", Rig.shape());
        long device = (long) function.device() << 15;
        assertEquals(0xffff_ffffL, rig.bridge.ecam().read(device + (1 << 15), 4));
        assertEquals(0xffffL, rig.bridge.ecam().read(device + (1 << 12), 2), "function 1");
        assertEquals(0xffL, rig.bridge.ecam().read(device + (1 << 20), 1), "bus 1");
        rig.bridge.ecam().write(device + (1 << 20) + Type0Header.COMMAND, 2, 4);
        assertEquals(0, rig.read(function, Type0Header.COMMAND, 2));
    }

    @Test
    void showsTheIdentityOfTheShape() throws ClaimException {
        PciFunction function = rig.plug("net0", Rig.shape(Rig.io(0, 256), Rig.memory64(2, 4096)));
        assertEquals(0x8168_10ecL, rig.read(function, 0, 4));
        assertEquals(0x0200_0006L, rig.read(function, 8, 4));
        assertEquals(0x0123_10ecL, rig.read(function, Type0Header.SUBSYSTEM_VENDOR_ID, 4));
        assertEquals(1, rig.read(function, Type0Header.INTERRUPT_PIN, 1));
        assertEquals(0x0000_0001L, rig.read(function, Type0Header.baseAddress(0), 4));
        assertEquals(0x0000_000cL, rig.read(function, Type0Header.baseAddress(2), 4));
        assertEquals(0, rig.read(function, Type0Header.CAPABILITIES_POINTER, 1));
        assertEquals(0, rig.read(function, Type0Header.STATUS, 2));
    }

    @Test
    void readsAnyNaturallyAlignedWidth() throws ClaimException {
        PciFunction function = rig.plug("net0", Rig.shape());
        assertEquals(0xec, rig.read(function, 0, 1));
        assertEquals(0x10, rig.read(function, 1, 1));
        assertEquals(0x8168, rig.read(function, 2, 2));
        assertEquals(0xffff, rig.read(function, 1, 2));
        assertEquals(0xffff_ffffL, rig.read(function, 2, 4));
        assertEquals(-1L, rig.read(function, 0, 8));
    }

    @Test
    void dropsWritesThatAreNotNaturallyAligned() throws ClaimException {
        PciFunction function = rig.plug("net0", Rig.shape());
        rig.write(function, Type0Header.COMMAND - 1, 2, 0xffff);
        rig.write(function, Type0Header.COMMAND - 2, 4, 0xffff_ffffL);
        rig.write(function, Type0Header.COMMAND, 8, -1);
        assertEquals(3, function.guestErrors());
        assertEquals(0, rig.read(function, Type0Header.COMMAND, 2));
    }

    @Test
    void letsTheGuestWriteExactlyWhatTheSpecificationLets() throws ClaimException {
        PciFunction function = rig.plug("net0", Rig.shape(Rig.memory(1, 0x1000)));
        byte[] before = image(function);
        for (int at = 0; at < Type0Header.EXTENDED_SIZE; at += 4) {
            rig.write(function, at, 4, 0xffff_ffffL);
        }
        byte[] after = image(function);
        byte[] expected = before.clone();
        expected[Type0Header.COMMAND] = 0x46;
        expected[Type0Header.COMMAND + 1] = 0x05;
        expected[Type0Header.CACHE_LINE_SIZE] = (byte) 0xff;
        expected[Type0Header.INTERRUPT_LINE] = (byte) 0xff;
        expected[Type0Header.baseAddress(1) + 1] = (byte) 0xf0;
        expected[Type0Header.baseAddress(1) + 2] = (byte) 0xff;
        expected[Type0Header.baseAddress(1) + 3] = (byte) 0xff;
        assertEquals(hex(expected), hex(after));
    }

    @Test
    void writesToStatusLeaveTheCapabilitiesToBeFound() throws ClaimException {
        PciFunction function = rig.plug("net0", withCapabilities());
        for (long value : new long[] {0, 0xffff, 0xffff_ffffL}) {
            rig.write(function, Type0Header.STATUS, 2, value);
            rig.write(function, Type0Header.COMMAND, 4, value & ~0xffff);
            assertEquals(
                    Type0Header.STATUS_CAPABILITIES, rig.read(function, Type0Header.STATUS, 2));
        }
        rig.write(function, Type0Header.CAPABILITIES_POINTER, 4, 0);
        assertEquals(0x40, rig.read(function, Type0Header.CAPABILITIES_POINTER, 1));
    }

    @Test
    void sizingTheRomRegisterFindsNone() throws ClaimException {
        PciFunction function = rig.running("net0", Rig.shape(Rig.memory(0, 0x1000)));
        for (long value : new long[] {0xffff_ffffL, 0xffff_f800L, 0xffff_fffeL, 1}) {
            rig.write(function, Type0Header.EXPANSION_ROM, 4, value);
            assertEquals(0, rig.read(function, Type0Header.EXPANSION_ROM, 4));
        }
        rig.write(function, Type0Header.EXPANSION_ROM + 3, 1, 0xff);
        assertEquals(0, rig.read(function, Type0Header.EXPANSION_ROM, 4));
    }

    @Test
    void hasNoDecodeBitWithoutABarOfTheKind() throws ClaimException {
        PciFunction ports = rig.plug("a", Rig.shape(Rig.io(0, 16)));
        PciFunction none = rig.plug("b", Rig.shape());
        rig.command(ports, 0x3);
        rig.command(none, 0x3);
        assertEquals(0x1, rig.read(ports, Type0Header.COMMAND, 2));
        assertEquals(0x0, rig.read(none, Type0Header.COMMAND, 2));
    }

    @Test
    void chainsCapabilitiesWithMsixLast() throws ClaimException {
        PciFunction function = rig.plug("net0", withCapabilities());
        assertEquals(0x10, rig.read(function, Type0Header.STATUS, 2));
        assertEquals(0x40, rig.read(function, Type0Header.CAPABILITIES_POINTER, 1));
        assertEquals(0x0302_4809L, rig.read(function, 0x40, 4));
        assertEquals(0x0000_0004L, rig.read(function, 0x44, 4));
        assertEquals(0x2211_4c09L, rig.read(function, 0x48, 4));
        assertEquals(0x0003_0011L, rig.read(function, 0x4c, 4));
        assertEquals(0x0000_0802L, rig.read(function, 0x50, 4));
        assertEquals(0x0000_1002L, rig.read(function, 0x54, 4));
        assertEquals(0, rig.read(function, 0x58, 4));
    }

    @Test
    void keepsToTheWritableBitsOfACapability() throws ClaimException {
        PciFunction function = rig.plug("net0", withCapabilities());
        rig.write(function, 0x40, 4, 0xffff_ffffL);
        rig.write(function, 0x44, 4, 0xffff_ffffL);
        rig.write(function, 0x4c, 4, 0x3fff_ffffL);
        assertEquals(0x0302_4809L, rig.read(function, 0x40, 4));
        assertEquals(0x0000_00f4L, rig.read(function, 0x44, 4));
        assertEquals(0x0003_0011L, rig.read(function, 0x4c, 4));
    }

    private static PciShape withCapabilities() {
        return new PciShape(
                1,
                2,
                0,
                0x010000,
                0,
                0,
                0,
                List.of(Rig.memory(2, 0x2000)),
                List.of(
                        new PciShape.Capability(
                                9, new byte[] {2, 3, 4}, new byte[] {0, 0, (byte) 0xf0}),
                        new PciShape.Capability(9, new byte[] {0x11, 0x22}, new byte[2])),
                Optional.of(new PciShape.Msix(4, 2, 0x800, 2, 0x1000)));
    }

    @Test
    void asksTheHandlerForTheCapabilityThatItAnswers() throws ClaimException {
        List<String> seen = new ArrayList<>();
        BarHandler handler =
                new BarHandler() {
                    @Override
                    public long read(int bar, long offset, int width) {
                        throw new AssertionError("no BAR");
                    }

                    @Override
                    public void write(int bar, long offset, int width, long value) {
                        throw new AssertionError("no BAR");
                    }

                    @Override
                    public boolean answersCapability(int capability) {
                        return capability == 1;
                    }

                    @Override
                    public long readCapability(int capability, int offset, int width) {
                        return 0x1234_5678_9abc_def0L;
                    }

                    @Override
                    public void writeCapability(int capability, int offset, int width, long value) {
                        seen.add("%d+%d/%d=%x".formatted(capability, offset, width, value));
                    }
                };
        byte[] body = new byte[10];
        PciShape shape =
                new PciShape(
                        1,
                        2,
                        0,
                        0,
                        0,
                        0,
                        0,
                        List.of(),
                        List.of(
                                new PciShape.Capability(9, body, body),
                                new PciShape.Capability(9, body, body)),
                        Optional.empty());
        PciFunction function = rig.bridge.plug("v", 5, shape, handler);
        assertEquals(0x0000_0009L, rig.read(function, 0x4c, 4));
        assertEquals(0xdef0L, rig.read(function, 0x52, 2));
        assertEquals(0x9abc_def0L, rig.read(function, 0x54, 4));
        assertEquals(0, rig.read(function, 0x58, 4));
        rig.write(function, 0x55, 1, 0xabcd);
        rig.write(function, 0x44, 4, 1);
        rig.write(function, 0x4c, 4, 1);
        assertEquals(List.of("1+9/1=cd"), seen);
    }

    @Test
    void givesTheLowestFreeDeviceNumberOrTheOneAskedFor() throws ClaimException {
        PciFunction first = rig.plug("a", Rig.shape());
        PciFunction second = rig.bridge.plug("b", 2, Rig.shape(), new Rig.Card());
        PciFunction third = rig.plug("c", Rig.shape());
        assertEquals(
                List.of(1, 2, 3), rig.bridge.functions().stream().map(f -> f.device()).toList());
        first.close();
        assertEquals(1, rig.plug("d", Rig.shape()).device());
        assertEquals(List.of("d", "b", "c"), slots());
        second.close();
        third.close();
        assertEquals(List.of("d"), slots());
    }

    private List<String> slots() {
        return rig.bridge.functions().stream().map(PciFunction::slot).toList();
    }

    @Test
    void refusesATakenOrImpossibleDeviceNumber() throws ClaimException {
        rig.bridge.plug("disk0", 4, Rig.shape(), new Rig.Card());
        assertEquals("net0 cannot be PCI device 4: disk0 has that number.", refusal("net0", 4));
        assertEquals(
                "net0 cannot be PCI device 32: the numbers on bus 0 are 1 to 31.",
                refusal("net0", 32));
        assertEquals(
                "net0 cannot be PCI device 0: the numbers on bus 0 are 1 to 31.",
                refusal("net0", 0));
        for (int i = 1; i < 31; i++) {
            rig.plug("x" + i, Rig.shape());
        }
        assertEquals(
                "net0 cannot be plugged: all 31 PCI device numbers of bus 0 are taken; unplug another slot first.",
                refusal("net0", -1));
    }

    private String refusal(String slot, int device) {
        return assertThrows(
                        ClaimException.class,
                        () -> rig.bridge.plug(slot, device, Rig.shape(), new Rig.Card()))
                .getMessage();
    }

    @Test
    void hasLetGoWhenBusMasteringIsOffAgainOrNeverWasAndDecodingIsOff() throws ClaimException {
        PciFunction function = rig.plug("a", Rig.shape(Rig.memory(0, 16)));
        assertTrue(function.released());
        rig.command(function, Type0Header.COMMAND_MEMORY);
        assertFalse(function.released());
        rig.command(function, Type0Header.COMMAND_INTX_DISABLE);
        assertTrue(function.released());
        rig.command(function, Type0Header.COMMAND_MEMORY | Type0Header.COMMAND_BUS_MASTER);
        assertFalse(function.released());
        rig.command(function, Type0Header.COMMAND_MEMORY);
        assertTrue(function.released());
        function.reset();
        rig.command(function, Type0Header.COMMAND_MEMORY);
        assertFalse(function.released());
    }

    private byte[] image(PciFunction function) {
        byte[] image = new byte[Type0Header.EXTENDED_SIZE];
        for (int i = 0; i < image.length; i++) {
            image[i] = (byte) rig.read(function, i, 1);
        }
        return image;
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }
}
