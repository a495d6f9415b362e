package org.backplane.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.backplane.bus.ClaimException;
import org.junit.jupiter.api.Test;

/** Where capabilities lie, conventional and extended, and who answers their registers. */
class CapabilityPlacementTest {
    private static final int PM = 0x01;
    private static final int VENDOR = 0x09;

    private final Rig rig = new Rig();
    private final List<String> writes = new ArrayList<>();

    /** Answers registers with their offset in each byte. */
    private final BarHandler answering =
            new BarHandler() {
                @Override
                public long read(int bar, long offset, int width) {
                    return -1;
                }

                @Override
                public void write(int bar, long offset, int width, long value) {
                    throw new AssertionError("no BAR");
                }

                @Override
                public long readConfig(int offset, int width) {
                    long value = 0;
                    for (int i = 0; i < width; i++) {
                        value |= (offset + i & 0xffL) << 8 * i;
                    }
                    return value | (width == 4 ? -1L << 32 : 0);
                }

                @Override
                public void writeConfig(int offset, int width, long value) {
                    writes.add("%x/%d=%x".formatted(offset, width, value));
                }
            };

    private static PciShape.Capability at(int offset, int id, int length) {
        return new PciShape.Capability(
                id, new byte[length - 2], new byte[length - 2], OptionalInt.of(offset));
    }

    private PciFunction plug(Rig.Parts parts) throws ClaimException {
        return rig.bridge.plug("card", -1, parts.shape(Rig.memory(2, 0x2000)), answering);
    }

    /** As lspci follows it: id and offset of each. */
    private List<String> chain(PciFunction function) {
        List<String> found = new ArrayList<>();
        long at = rig.read(function, Type0Header.CAPABILITIES_POINTER, 1);
        while (at != 0 && found.size() < 48) {
            found.add("%x at %x".formatted(rig.read(function, (int) at, 1), at));
            at = rig.read(function, (int) at + 1, 1);
        }
        return found;
    }

    private List<String> extendedChain(PciFunction function) {
        List<String> found = new ArrayList<>();
        int at = Type0Header.SPACE_SIZE;
        while (at != 0 && found.size() < 64) {
            long header = rig.read(function, at, 4);
            found.add("%x.%x at %x".formatted(header & 0xffff, header >>> 16 & 0xf, at));
            at = (int) (header >>> 20);
        }
        return found;
    }

    @Test
    void aCardKeepsItsOffsetsAndTheOthersFillTheGaps() throws ClaimException {
        PciFunction function =
                plug(
                        Rig.Parts.NONE
                                .with(
                                        at(0x70, ExpressCapability.ID, 0x3c),
                                        at(0x44, PM, 8),
                                        new PciShape.Capability(VENDOR, new byte[2], new byte[2]),
                                        new PciShape.Capability(VENDOR, new byte[6], new byte[6]))
                                .with(new PciShape.Msi(1, true, false, OptionalInt.of(0x50)))
                                .with(new PciShape.Msix(4, 2, 0, 2, 0x1000, OptionalInt.of(0xb0))));
        assertEquals(
                List.of("9 at 40", "1 at 44", "5 at 50", "9 at 60", "10 at 70", "11 at b0"),
                chain(function));
        assertEquals(Type0Header.STATUS_CAPABILITIES, rig.read(function, Type0Header.STATUS, 2));
        assertEquals(3, rig.read(function, 0xb2, 2));
    }

    @Test
    void withoutOffsetsMsiComesBeforeMsix() throws ClaimException {
        PciFunction function =
                plug(
                        Rig.Parts.NONE
                                .with(new PciShape.Msix(4, 2, 0, 2, 0x1000))
                                .with(new PciShape.Msi(1, false, true))
                                .with(new PciShape.Capability(PM, new byte[6], new byte[6])));
        assertEquals(List.of("1 at 40", "5 at 48", "11 at 5c"), chain(function));
    }

    @Test
    void refusesOffsetsThatCollideOrLieOutside() {
        refused(Rig.Parts.NONE.with(at(0x40, PM, 8), at(0x44, VENDOR, 4)));
        refused(
                Rig.Parts.NONE
                        .with(at(0x50, PM, 8))
                        .with(new PciShape.Msi(1, true, true, OptionalInt.of(0x40))));
        refused(Rig.Parts.NONE.with(at(0xfc, PM, 8)));
        assertThrows(IllegalArgumentException.class, () -> at(0x3c, PM, 4));
        assertThrows(IllegalArgumentException.class, () -> at(0x42, PM, 4));
        assertThrows(IllegalArgumentException.class, () -> at(0x100, PM, 4));
        assertThrows(IllegalArgumentException.class, () -> new PciShape.Msi(3, true, true));
        assertThrows(IllegalArgumentException.class, () -> new PciShape.Msi(64, true, true));
        assertThrows(IllegalArgumentException.class, () -> new PciShape.Msi(0, true, true));
    }

    private static void refused(Rig.Parts parts) {
        assertThrows(IllegalArgumentException.class, () -> parts.shape(Rig.memory(2, 0x2000)));
    }

    private static PciShape.ExtendedCapability extended(int offset, int id, int... body) {
        byte[] bytes = new byte[body.length];
        byte[] writable = new byte[body.length];
        for (int i = 0; i < body.length; i++) {
            bytes[i] = (byte) body[i];
            writable[i] = (byte) 0xf0;
        }
        return new PciShape.ExtendedCapability(offset, id, 2, bytes, writable);
    }

    @Test
    void extendedCapabilitiesFormAChainByRisingOffset() throws ClaimException {
        PciFunction function =
                plug(
                        Rig.Parts.NONE.with(
                                extended(0x148, 0x18, 9, 9, 9, 9),
                                extended(0x100, 0x03, 1, 2, 3, 4, 5, 6, 7, 8),
                                extended(0xff8, 0x0b, 0, 0, 0, 7)));
        assertEquals(List.of("3.2 at 100", "18.2 at 148", "b.2 at ff8"), extendedChain(function));
        assertEquals(0x0807_0605L, rig.read(function, 0x108, 4));
        rig.write(function, 0x108, 4, 0xffff_ffffL);
        rig.write(function, 0x100, 4, 0xffff_ffffL);
        assertEquals(0xf8f7_f6f5L, rig.read(function, 0x108, 4));
        assertEquals("3.2 at 100", extendedChain(function).get(0));
        assertEquals(0, rig.read(function, 0x10c, 4), "between two capabilities");
        function.reset();
        assertEquals(0x0807_0605L, rig.read(function, 0x108, 4));
    }

    @Test
    void aChainWithoutAFirstCapabilityBeginsWithNull() throws ClaimException {
        PciFunction function = plug(Rig.Parts.NONE.with(extended(0x200, 0x0b, 1, 2, 3, 4)));
        assertEquals(List.of("0.0 at 100", "b.2 at 200"), extendedChain(function));
    }

    @Test
    void withoutExtendedCapabilitiesThereAreZeros() throws ClaimException {
        PciFunction function = plug(Rig.Parts.NONE);
        rig.write(function, 0x100, 4, 0xffff_ffffL);
        assertEquals(List.of("0.0 at 100"), extendedChain(function));
        assertEquals(0, rig.read(function, 0xffc, 4));
    }

    @Test
    void refusesExtendedCapabilitiesThatCollideOrLieOutside() {
        refused(Rig.Parts.NONE.with(extended(0x100, 1, 0, 0, 0, 0), extended(0x104, 2)));
        assertThrows(IllegalArgumentException.class, () -> extended(0xfc, 1));
        assertThrows(IllegalArgumentException.class, () -> extended(0x102, 1));
        assertThrows(IllegalArgumentException.class, () -> extended(0xffc, 1, 0));
        assertThrows(IllegalArgumentException.class, () -> extended(0x100, 0x1_0000));
        extended(0xffc, 1);
    }

    @Test
    void theDeviceAnswersItsRegistersAndTheSlotTheLinks() throws ClaimException {
        PciFunction function =
                plug(
                        Rig.Parts.NONE
                                .with(at(0x40, PM, 8), at(0xd0, 0x03, 8))
                                .with(extended(0x100, 0x03, 1, 2, 3, 4))
                                .with(
                                        new PciShape.ConfigRange(0x60, 8),
                                        new PciShape.ConfigRange(0xd0, 8),
                                        new PciShape.ConfigRange(0x100, 8),
                                        new PciShape.ConfigRange(0xf00, 0x100)));
        assertEquals(0x6362_6160L, rig.read(function, 0x60, 4));
        assertEquals(0x67, rig.read(function, 0x67, 1));
        assertEquals(0, rig.read(function, 0x68, 4));
        assertEquals(0xd3d2_0003L, rig.read(function, 0xd0, 4), "id and next are the slot's");
        assertEquals(0x0003, rig.read(function, 0xd0, 2));
        assertEquals(0xd3d2, rig.read(function, 0xd2, 2));
        assertEquals(0xd7d6_d5d4L, rig.read(function, 0xd4, 4));
        assertEquals(0x0002_0003L, rig.read(function, 0x100, 4), "all of an extended header");
        assertEquals(0x0706_0504L, rig.read(function, 0x104, 4));
        assertEquals(0xfffe_fdfcL, rig.read(function, 0xffc, 4));
        rig.write(function, 0xd2, 2, 0x1_8000);
        rig.write(function, 0xd0, 4, 0x8000_1234L);
        rig.write(function, 0xd0, 2, 0x55);
        rig.write(function, 0x100, 4, 1);
        rig.write(function, 0xfff, 1, 0xab);
        rig.write(function, 0x40, 4, 0xff);
        assertEquals(List.of("d2/2=8000", "d0/4=80001234", "fff/1=ab"), writes);
        function.close();
        assertEquals(0xffff_ffffL, rig.read(function, 0x60, 4));
    }

    @Test
    void refusesRegistersThatTheSlotHasToAnswer() {
        PciShape.ConfigRange eight = new PciShape.ConfigRange(0x50, 8);
        refused(Rig.Parts.NONE.with(eight, new PciShape.ConfigRange(0x54, 8)));
        refused(
                Rig.Parts.NONE
                        .with(eight)
                        .with(new PciShape.Msi(1, true, true, OptionalInt.of(0x54))));
        refused(
                Rig.Parts.NONE
                        .with(eight)
                        .with(new PciShape.Msix(1, 2, 0, 2, 0x800, OptionalInt.of(0x48))));
        assertThrows(IllegalArgumentException.class, () -> new PciShape.ConfigRange(0x3c, 4));
        assertThrows(IllegalArgumentException.class, () -> new PciShape.ConfigRange(0x42, 4));
        assertThrows(IllegalArgumentException.class, () -> new PciShape.ConfigRange(0x44, 6));
        assertThrows(IllegalArgumentException.class, () -> new PciShape.ConfigRange(0x44, 0));
        assertThrows(IllegalArgumentException.class, () -> new PciShape.ConfigRange(0xffc, 8));
    }

    @Test
    void shapesDifferByWhatTheyAnswerAndWhereItLies() {
        PciShape shape = Rig.Parts.NONE.with(at(0x40, PM, 8)).shape();
        assertEquals(shape, Rig.Parts.NONE.with(at(0x40, PM, 8)).shape());
        assertDiffers(shape, Rig.Parts.NONE.with(at(0x44, PM, 8)).shape());
        PciShape.Capability own = new PciShape.Capability(PM, new byte[2], new byte[2]);
        for (PciShape.Capability other :
                List.of(
                        new PciShape.Capability(VENDOR, new byte[2], new byte[2]),
                        new PciShape.Capability(PM, new byte[] {0, 1}, new byte[2]),
                        new PciShape.Capability(PM, new byte[2], new byte[] {0, 1}))) {
            assertDiffers(Rig.Parts.NONE.with(own).shape(), Rig.Parts.NONE.with(other).shape());
        }
        for (PciShape.ExtendedCapability other :
                List.of(
                        extended(0x104, 1, 1),
                        extended(0x100, 2, 1),
                        extended(0x100, 1, 2),
                        new PciShape.ExtendedCapability(
                                0x100, 1, 3, new byte[] {1}, new byte[] {(byte) 0xf0}),
                        new PciShape.ExtendedCapability(
                                0x100, 1, 2, new byte[] {1}, new byte[1]))) {
            assertDiffers(
                    Rig.Parts.NONE.with(extended(0x100, 1, 1)).shape(),
                    Rig.Parts.NONE.with(other).shape());
        }
        assertDiffers(
                Rig.Parts.NONE.with(new PciShape.ConfigRange(0x40, 4)).shape(),
                Rig.Parts.NONE.with(new PciShape.ConfigRange(0x40, 8)).shape());
    }

    private static void assertDiffers(PciShape one, PciShape other) {
        assertEquals(false, one.equals(other));
    }

    @Test
    void anExpressEndpointShowsThePlaceItHas() throws ClaimException {
        Rig.Parts parts = Rig.Parts.NONE.with(ExpressEndpoint.capability(OptionalInt.of(0x70)));
        PciFunction integrated = plug(parts);
        assertEquals(0x0092_0010L, rig.read(integrated, 0x70, 4), "integrated into the root");
        assertEquals(0x0000_8000L, rig.read(integrated, 0x74, 4));
        assertEquals(0x2810, rig.read(integrated, 0x78, 2));
        assertEquals(0, rig.read(integrated, 0x7c, 4), "no link");
        assertEquals(0, rig.read(integrated, 0x80, 4));
        PortRig ports = new PortRig();
        ports.installed(ports.first, "card", parts.shape(Rig.memory(2, 0x2000)));
        int number = PortRig.number(1, 0);
        assertEquals(0x0002_0010L, ports.read(number, 0x70, 4), "behind a port");
        long link = ports.read(ports.first, PortRig.EXPRESS + 0x0c, 4) & 0x3ff;
        assertEquals(link, ports.read(number, 0x7c, 4) & 0x3ff, "speed and width of the port");
        assertEquals(link, ports.read(number, 0x82, 2) & 0x3ff);
        ports.write(number, 0x78, 2, 0xffff);
        assertEquals(0x78ff, ports.read(number, 0x78, 2));
        ports.write(number, 0x78, 2, 0);
        assertEquals(0, ports.read(number, 0x78, 2));
    }

    @Test
    void aCardsOwnExpressCapabilityFollowsItsPlaceToo() throws ClaimException {
        byte[] body = new byte[0x12];
        body[0] = (byte) 0x92;
        PciShape.Capability own =
                new PciShape.Capability(
                        ExpressCapability.ID, body, new byte[body.length], OptionalInt.of(0x70));
        PciShape shape = Rig.Parts.NONE.with(own).shape(Rig.memory(2, 0x2000));
        PortRig ports = new PortRig();
        ports.installed(ports.first, "card", shape);
        int number = PortRig.number(1, 0);
        assertEquals(0x0002_0010L, ports.read(number, 0x70, 4));
        assertEquals(0x104, ports.read(number, 0x82, 2));
        PciFunction root = rig.plug("card", shape);
        assertEquals(0x0092_0010L, rig.read(root, 0x70, 4), "as it is");
    }

    @Test
    void anExpressCapabilityWithoutLinkRegistersIsShownAsItIs() throws ClaimException {
        byte[] body = new byte[0x11];
        body[0] = 0x02;
        PciFunction function =
                plug(
                        Rig.Parts.NONE.with(
                                new PciShape.Capability(
                                        ExpressCapability.ID,
                                        body,
                                        new byte[body.length],
                                        OptionalInt.of(0x70))));
        assertEquals(0x0002_0010L, rig.read(function, 0x70, 4));
    }
}
