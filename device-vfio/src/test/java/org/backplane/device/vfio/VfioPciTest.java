package org.backplane.device.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.backplane.pci.PciShape;
import org.junit.jupiter.api.Test;

/** A guest that drives a passed-through device, and the host's side of it. */
class VfioPciTest {
    private static final int TABLE = 0x2000;
    private static final int MSIX_CONTROL = 0x42;
    private static final int ENABLE = 0x8000;
    private static final int MASK_ALL = 0x4000;

    @Test
    void showsEveryBarAsLargeAsItsRegionAndOfItsType() throws Exception {
        try (var plugged =
                new Plugged(PlayedDevice.nvme().bar(2, 0b1100, 0x10_0000).bar(4, 1, 64))) {
            assertEquals(
                    List.of(
                            new PciShape.Bar(0, PciShape.BarKind.MEMORY_64, false, 0x4000),
                            new PciShape.Bar(2, PciShape.BarKind.MEMORY_64, true, 0x10_0000),
                            new PciShape.Bar(4, PciShape.BarKind.IO, false, 64)),
                    plugged.function.shape().bars());
        }
    }

    @Test
    void switchesTheDevicesDecodingOnAndLeavesBusMasteringToTheGuest() throws Exception {
        try (var plugged = new Plugged(PlayedDevice.nvme())) {
            assertEquals(3, plugged.host.config(4, 2));
            plugged.on();
            assertEquals(7, plugged.host.config(4, 2));
            plugged.config(4, 2, 0);
            assertEquals(3, plugged.host.config(4, 2));
        }
    }

    /** Parity 0x40, SERR# 0x100, memory write and invalidate 0x10; the pin's switch is 0x400. */
    @Test
    void whatTheHostHasOfCommandStaysWhateverTheGuestWrites() throws Exception {
        try (var plugged = new Plugged(PlayedDevice.nvme().set(4, 2, 0x0510))) {
            assertEquals(0x113, plugged.host.config(4, 2));
            plugged.config(4, 2, 0x46);
            assertEquals(0x117, plugged.host.config(4, 2));
            assertEquals(0x46, plugged.config(4, 2));
            // The host's own, meanwhile.
            plugged.host.set(4, 2, 0x157);
            plugged.config(4, 2, 0x102);
            assertEquals(0x153, plugged.host.config(4, 2));
            plugged.on();
            plugged.device.reset();
            assertEquals(0x153, plugged.host.config(4, 2));
        }
    }

    @Test
    void registersBesideTheTableReachTheDeviceAndTheTableDoesNot() throws Exception {
        try (var plugged = new Plugged(PlayedDevice.nvme())) {
            plugged.on();
            plugged.host.calls();
            plugged.write(0, 0x14, 4, 0x46_0001);
            plugged.write(0, 0x28, 8, 0x1234_5678_9abc_def0L);
            plugged.program(TABLE, 0, true);
            assertEquals(
                    List.of("write 0+14 460001", "write 0+28 123456789abcdef0"),
                    plugged.host.calls());
            assertEquals(0x46_0001, plugged.read(0, 0x14, 4));
            assertEquals(0x9abc_def0L, plugged.read(0, 0x28, 4));
            assertEquals(0x40, plugged.read(0, TABLE + 8, 4));
        }
    }

    @Test
    void enablingWithEveryVectorMaskedIsOneCall() throws Exception {
        try (var plugged = new Plugged(PlayedDevice.nvme())) {
            plugged.on();
            plugged.host.calls();
            plugged.config(MSIX_CONTROL, 2, ENABLE | MASK_ALL);
            for (int vector = 0; vector < 5; vector++) {
                plugged.program(TABLE, vector, true);
            }
            plugged.config(MSIX_CONTROL, 2, ENABLE);
            assertEquals(List.of("disable 0", "trigger 2+0 -"), plugged.host.calls());
        }
    }

    @Test
    void aVectorGetsItsEventWhenItIsFirstOpenAndKeepsItMasked() throws Exception {
        try (var plugged = new Plugged(PlayedDevice.nvme())) {
            plugged.on();
            plugged.config(MSIX_CONTROL, 2, ENABLE);
            plugged.host.calls();
            plugged.program(TABLE, 3, false);
            assertEquals(List.of("trigger 2+3 e"), plugged.host.calls());
            plugged.host.interrupt(2, 3);
            plugged.carry();
            assertEquals(1, plugged.messages.messages().size());
            plugged.program(TABLE, 3, true);
            plugged.host.interrupt(2, 3);
            plugged.carry();
            assertEquals(1, plugged.messages.messages().size());
            plugged.program(TABLE, 3, false);
            assertEquals(2, plugged.messages.messages().size());
            assertEquals(List.of(), plugged.host.calls());
        }
    }

    @Test
    void swapTouchesNothingInTheDeviceAndLosesNoInterrupt() throws Exception {
        try (var plugged = new Plugged(PlayedDevice.nvme())) {
            plugged.on();
            plugged.config(MSIX_CONTROL, 2, ENABLE);
            plugged.program(TABLE, 1, false);
            plugged.host.calls();
            plugged.host.interrupt(2, 1);
            plugged.swap();
            plugged.carry();
            assertEquals(1, plugged.messages.messages().size());
            plugged.host.interrupt(2, 1);
            plugged.carry();
            assertEquals(2, plugged.messages.messages().size());
            assertEquals(List.of(), plugged.host.calls());
            assertFalse(plugged.host.closed);
        }
    }

    @Test
    void swapGoesOnAfterTheHostHasChangedThePayloadSize() throws Exception {
        try (var plugged = new Plugged(PlayedDevice.nvme())) {
            assertEquals(0x2810, plugged.config(0x88, 2));
            plugged.config(0x88, 2, 0x5810);
            plugged.host.set(0x88, 2, 0x2830);
            plugged.swap();
            assertEquals(0x5810, plugged.config(0x88, 2));
            assertEquals(0x2830, plugged.host.config(0x88, 2));
        }
    }

    @Test
    void offAgainGoesBackToThePin() throws Exception {
        try (var plugged = new Plugged(PlayedDevice.nvme())) {
            assertTrue(plugged.host.armed(0, 0));
            plugged.on();
            plugged.config(MSIX_CONTROL, 2, ENABLE);
            plugged.program(TABLE, 1, false);
            assertFalse(plugged.host.armed(0, 0));
            plugged.host.calls();
            plugged.config(MSIX_CONTROL, 2, 0);
            assertEquals(List.of("disable 2", "trigger 0+0 e", "resample 0"), plugged.host.calls());
            assertEquals(1, plugged.carriedEvents());
        }
    }
}
