package org.backplane.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Shapes that no function can have are refused before a guest sees them. */
class PciShapeTest {
    private static String refusal(Executable shape) {
        return assertThrows(IllegalArgumentException.class, shape).getMessage();
    }

    @Test
    void refusesBarsOfImpossibleSize() {
        assertEquals("no PCI function: MEMORY_32 BAR 0 of 0x3000 bytes", size(0x3000));
        assertEquals("no PCI function: MEMORY_32 BAR 0 of 0x8 bytes", size(8));
        assertEquals("no PCI function: MEMORY_32 BAR 0 of 0x0 bytes", size(0));
        assertEquals("no PCI function: MEMORY_32 BAR 0 of 0x100000000 bytes", size(1L << 32));
        refusal(() -> Rig.io(0, 2));
        refusal(() -> Rig.io(0, 1 << 16));
        refusal(() -> Rig.memory64(0, Long.MIN_VALUE));
        Rig.memory(0, 1L << 31);
        Rig.memory64(0, 1L << 62);
    }

    private static String size(long size) {
        return refusal(() -> Rig.memory(0, size));
    }

    @Test
    void refusesBarsInTheSameRegisters() {
        assertEquals(
                "no PCI function: two BARs in register 3",
                refusal(() -> Rig.shape(Rig.memory64(2, 16), Rig.memory(3, 16))));
        refusal(() -> Rig.shape(Rig.memory(1, 16), Rig.io(1, 16)));
        refusal(() -> Rig.memory64(5, 16));
        refusal(() -> Rig.memory(6, 16));
        Rig.shape(Rig.memory64(0, 16), Rig.memory64(2, 16), Rig.memory64(4, 16));
    }

    @Test
    void refusesPrefetchablePorts() {
        refusal(() -> new PciShape.Bar(0, PciShape.BarKind.IO, true, 16));
    }

    @Test
    void refusesMsixStructuresOutsideOfTheirBar() {
        assertEquals(
                "no PCI function: MSI-X table of 64 bytes at 0xfd0 is not inside memory BAR 0",
                refusal(() -> msix(new PciShape.Msix(4, 0, 0xfd0, 1, 0), Rig.memory(0, 0x1000))));
        assertEquals(
                "no PCI function: MSI-X PBA of 8 bytes at 0x0 is not inside memory BAR 1",
                refusal(() -> msix(new PciShape.Msix(4, 0, 0, 1, 0), Rig.memory(0, 0x1000))));
        refusal(() -> msix(new PciShape.Msix(1, 0, 0, 1, 0), Rig.memory(0, 0x1000), Rig.io(1, 16)));
        refusal(() -> msix(new PciShape.Msix(1, 1, 0, 0, 0), Rig.memory64(0, 0x1000)));
        msix(new PciShape.Msix(4, 0, 0xfc0, 0, 0xfb8), Rig.memory(0, 0x1000));
    }

    private static PciShape msix(PciShape.Msix msix, PciShape.Bar... bars) {
        return Rig.shape(Optional.of(msix), bars);
    }

    @Test
    void refusesMsixStructuresThatOverlapOrAreMisaligned() {
        assertEquals(
                "no PCI function: MSI-X table at 0x0 and PBA at 0x38 overlap",
                refusal(() -> new PciShape.Msix(4, 0, 0, 0, 0x38)));
        refusal(() -> new PciShape.Msix(65, 0, 0x10, 0, 0x8));
        refusal(() -> new PciShape.Msix(4, 0, 4, 0, 0x100));
        refusal(() -> new PciShape.Msix(4, 0, 0, 0, 0x101));
        refusal(() -> new PciShape.Msix(4, 0, -8, 0, 0x100));
        refusal(() -> new PciShape.Msix(0, 0, 0, 0, 0x100));
        refusal(() -> new PciShape.Msix(2049, 0, 0, 1, 0));
        new PciShape.Msix(2048, 0, 0, 0, 0x8000);
    }

    @Test
    void refusesCapabilitiesThatDoNotFit() {
        PciShape.Capability large = new PciShape.Capability(9, new byte[94], new byte[94]);
        assertEquals(
                "no PCI function: there is no room for a capability of 12 bytes below 0x100",
                refusal(() -> capabilities(true, large, large)));
        capabilities(false, large, large);
        refusal(() -> new PciShape.Capability(9, new byte[2], new byte[3]));
        refusal(() -> new PciShape.Capability(256, new byte[2], new byte[2]));
    }

    private static PciShape capabilities(boolean msix, PciShape.Capability... capabilities) {
        return new PciShape(
                1,
                2,
                0,
                0,
                0,
                0,
                0,
                List.of(Rig.memory(0, 0x1000)),
                List.of(capabilities),
                msix ? Optional.of(new PciShape.Msix(1, 0, 0, 0, 0x10)) : Optional.empty());
    }

    @Test
    void refusesIdsThatAreTooWide() {
        assertEquals(
                "no PCI function: class code 0x1000000 has more than 24 bits",
                refusal(
                        () ->
                                new PciShape(
                                        1,
                                        2,
                                        0,
                                        1 << 24,
                                        0,
                                        0,
                                        0,
                                        List.of(),
                                        List.of(),
                                        Optional.empty())));
    }
}
