package org.backplane.machine.board;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.backplane.bus.AddressRange;
import org.backplane.machine.MachineException;
import org.junit.jupiter.api.Test;

/** The map of the board riscv-cam: kvmtool's for arm64 before 2021. */
class CamBoardTest {
    private static final long MEGABYTE = 1 << 20;

    @Test
    void hasTheOldWindows() throws MachineException {
        RiscvMap map = RiscvMap.cam(256 * MEGABYTE, WindowSizes.OWN);
        assertEquals(new AddressRange(0x4000_0000L, 16 * MEGABYTE), map.config());
        assertEquals(new AddressRange(0x7000, 0x9000), map.io());
        assertEquals(0x4100_0000L, map.mmio32().base());
        assertEquals(0x8000_0000L, map.mmio32().end());
        assertEquals(0x8000_0000L, map.ram().base());
        assertTrue(map.probeOnly());
        assertFalse(RiscvMap.of(256 * MEGABYTE, WindowSizes.OWN).probeOnly());
    }

    @Test
    void takesNoSizesForItsWindow() {
        MachineException refusal =
                assertThrows(
                        MachineException.class,
                        () -> RiscvMap.cam(256 * MEGABYTE, new WindowSizes(512 * MEGABYTE, 0)));
        assertEquals(
                "The board riscv-cam has one PCI window of a fixed size; leave out --mmio32 and --mmio64, or --board.",
                refusal.getMessage());
    }
}
