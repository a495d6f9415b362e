package org.backplane.device.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.backplane.vfio.IrqInfo;
import org.backplane.vfio.VfioDevice;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Interrupts of every kind on their way to the guest, and what they cost in calls. */
class CarriedInterruptsTest {
    private static final int MOST = 2048;
    private static final int MSI = 0x50;
    private static final int ENABLE = 0x8000;
    private static final int MASK_ALL = 0x4000;

    private Plugged plugged;

    @AfterEach
    void unplug() {
        plugged.close();
    }

    private PlayedDevice plug(PlayedDevice host) throws Exception {
        plugged = new Plugged(host);
        plugged.on();
        host.calls();
        return host;
    }

    /** Vectors in a BAR of their own. */
    private static PlayedDevice wide(boolean resizable) {
        return new PlayedDevice(256)
                .set(0x00, 4, 0x1234_1b36)
                .set(0x06, 2, 0x0010)
                .set(0x34, 1, 0x40)
                .bar(0, 0, 0x1_0000)
                .set(0x40, 2, 0x0011)
                .set(0x42, 2, MOST - 1)
                .set(0x44, 4, 0)
                .set(0x48, 4, 0x8000)
                .irq(
                        VfioDevice.MSIX,
                        new IrqInfo(VfioDevice.MSIX, MOST, true, false, false, resizable));
    }

    /** Four maskable messages beside a pin. */
    private static PlayedDevice edu() {
        return new PlayedDevice(256)
                .set(0x00, 4, 0x11e8_1234)
                .set(0x06, 2, 0x0010)
                .set(0x34, 1, MSI)
                .set(0x3d, 1, 1)
                .bar(0, 0, 0x1000)
                .set(MSI, 2, 0x0005)
                .set(MSI + 2, 2, 0x0184)
                .irq(VfioDevice.INTX, new IrqInfo(VfioDevice.INTX, 1, true, true, true, false))
                .irq(VfioDevice.MSI, new IrqInfo(VfioDevice.MSI, 4, true, false, false, false));
    }

    private void program(int vector, boolean masked) {
        plugged.program(0, vector, masked);
    }

    @Test
    void twoThousandMaskedVectorsCostOneCall() throws Exception {
        PlayedDevice host = plug(wide(true));
        plugged.config(0x42, 2, ENABLE | MASK_ALL);
        for (int vector = 0; vector < MOST; vector++) {
            program(vector, true);
        }
        plugged.config(0x42, 2, ENABLE);
        assertEquals(List.of("trigger 2+0 -"), host.calls());
        assertEquals(0, plugged.carriedEvents());
    }

    @Test
    void onlyUsedVectorsHaveEvents() throws Exception {
        PlayedDevice host = plug(wide(true));
        plugged.config(0x42, 2, ENABLE);
        host.calls();
        program(MOST - 1, false);
        program(7, false);
        assertEquals(List.of("trigger 2+2047 e", "trigger 2+7 e"), host.calls());
        assertEquals(2, plugged.carriedEvents());
        host.interrupt(VfioDevice.MSIX, MOST - 1);
        plugged.carry();
        assertEquals(1, plugged.messages.count(0x40 + MOST - 1));
    }

    @Test
    void vectorsThatOpenTogetherAreArmedInRuns() throws Exception {
        PlayedDevice host = plug(wide(true));
        plugged.config(0x42, 2, ENABLE);
        program(0, false);
        plugged.config(0x42, 2, ENABLE | MASK_ALL);
        for (int vector : new int[] {1, 2, 3, 9}) {
            program(vector, false);
        }
        host.calls();
        plugged.config(0x42, 2, ENABLE);
        assertEquals(List.of("trigger 2+1 eee", "trigger 2+9 e"), host.calls());
    }

    @Test
    void aKernelThatCannotAddVectorsIsAskedForTheHighestProgrammed() throws Exception {
        PlayedDevice host = plug(wide(false));
        plugged.config(0x42, 2, ENABLE | MASK_ALL);
        for (int vector = 0; vector < 6; vector++) {
            program(vector, true);
        }
        plugged.config(0x42, 2, ENABLE);
        assertEquals(List.of("trigger 2+0 -"), host.calls());
        program(2, false);
        assertEquals(List.of("disable 2", "trigger 2+0 --e---"), host.calls());
        program(5, false);
        assertEquals(List.of("trigger 2+5 e"), host.calls());
        host.interrupt(VfioDevice.MSIX, 2);
        plugged.carry();
        assertEquals(1, plugged.messages.count(0x42));
    }

    @Test
    void aVectorBeyondThoseMakesTheKernelBeginAnewWithAllThatAreUsed() throws Exception {
        PlayedDevice host = plug(wide(false));
        plugged.config(0x42, 2, ENABLE);
        program(1, false);
        host.calls();
        program(3, false);
        assertEquals(List.of("disable 2", "trigger 2+0 -e-e"), host.calls());
        assertTrue(host.armed(VfioDevice.MSIX, 1));
        host.interrupt(VfioDevice.MSIX, 1);
        plugged.carry();
        assertEquals(1, plugged.messages.count(0x41));
    }

    @Test
    void vectorsThatAreOpenedOneByOneMakeTheKernelBeginAnewFewTimes() throws Exception {
        PlayedDevice host = plug(wide(false));
        plugged.config(0x42, 2, ENABLE);
        host.calls();
        for (int vector = 0; vector < 64; vector++) {
            program(vector, false);
        }
        assertEquals(6, host.calls().stream().filter("disable 2"::equals).count());
        for (int vector = 0; vector < 64; vector++) {
            assertTrue(host.armed(VfioDevice.MSIX, vector), "vector " + vector);
        }
    }

    @Test
    void aHostWithoutSpareVectorsIsAskedForThoseThatAreNeeded() throws Exception {
        PlayedDevice host = plug(wide(false));
        plugged.config(0x42, 2, ENABLE);
        program(1, false);
        program(2, false);
        host.calls();
        host.refusals = 1;
        program(4, false);
        assertEquals(
                List.of("disable 2", "trigger 2+0 -ee-e---", "trigger 2+0 -ee-e"), host.calls());
        assertTrue(host.armed(VfioDevice.MSIX, 4));
    }

    @Test
    void driversLookForWhatWasLostWhileTheKernelBeganAnew() throws Exception {
        PlayedDevice host = plug(wide(false));
        plugged.config(0x42, 2, ENABLE);
        program(1, false);
        program(3, false);
        plugged.carry();
        assertEquals(1, plugged.messages.count(0x41));
        assertEquals(0, plugged.messages.count(0x43));
        assertTrue(host.armed(VfioDevice.MSIX, 3));
    }

    @Test
    void aVectorThatTheHostRefusesIsAskedForAgainAndTheOthersGoOn() throws Exception {
        PlayedDevice host = plug(wide(true));
        plugged.config(0x42, 2, ENABLE);
        program(1, false);
        host.calls();
        host.refusals = 1;
        program(5, false);
        assertEquals(List.of("trigger 2+5 e"), host.calls());
        program(7, false);
        assertEquals(List.of("trigger 2+5 e", "trigger 2+7 e"), host.calls());
        for (int vector : new int[] {1, 5}) {
            host.interrupt(VfioDevice.MSIX, vector);
            plugged.carry();
            assertEquals(1, plugged.messages.count(0x40 + vector));
        }
    }

    @Test
    void vectorsBeforeTheOneThatTheHostCannotHaveGoOn() throws Exception {
        for (boolean resizable : new boolean[] {true, false}) {
            PlayedDevice host = plug(wide(resizable));
            plugged.slot.kept("vector 5", AutoCloseable.class, () -> () -> {});
            for (int vector : new int[] {1, 3, 5, 7}) {
                program(vector, false);
            }
            plugged.config(0x42, 2, ENABLE);
            program(9, false);
            program(11, false);
            assertTrue(host.armed(VfioDevice.MSIX, 1));
            assertTrue(host.armed(VfioDevice.MSIX, 3));
            assertFalse(host.armed(VfioDevice.MSIX, 7));
            assertEquals(1, host.calls().stream().filter(each -> each.startsWith("tr")).count());
            assertEquals(1, plugged.slot.told().size());
            assertTrue(
                    plugged.slot
                            .told()
                            .get(0)
                            .startsWith(
                                    "interrupts: 0000:01:00.0: not all that the guest wants can be had: "),
                    plugged.slot.told()::toString);
            host.interrupt(VfioDevice.MSIX, 3);
            plugged.carry();
            assertEquals(1, plugged.messages.count(0x43));
            if (resizable) {
                plugged.close();
            }
        }
    }

    @Test
    void messagesThatTheHostRefusesAreAskedForAtTheNextChange() throws Exception {
        PlayedDevice host = plug(edu());
        host.refusals = 1;
        plugged.config(MSI + 2, 2, 0x21);
        host.calls();
        plugged.config(MSI + 16, 4, 0b10);
        assertEquals(List.of("trigger 1+0 eeee"), host.calls());
    }

    @Test
    void aPinThatTheHostRefusesIsAskedForAtTheNextChange() throws Exception {
        PlayedDevice host = plug(edu());
        plugged.config(MSI + 2, 2, 0x21);
        host.refusals = 1;
        plugged.config(MSI + 2, 2, 0);
        host.calls();
        plugged.config(4, 2, 2);
        assertTrue(host.calls().contains("trigger 0+0 e"));
    }

    @Test
    void whatASwappedDeviceSignalsBetweenIsDeliveredOnce() throws Exception {
        PlayedDevice host = plug(wide(true));
        plugged.config(0x42, 2, ENABLE);
        program(100, false);
        host.interrupt(VfioDevice.MSIX, 100);
        host.calls();
        plugged.swap();
        plugged.swap();
        plugged.carry();
        assertEquals(1, plugged.messages.count(0x40 + 100));
        program(101, false);
        assertEquals(List.of("trigger 2+101 e"), host.calls());
    }

    @Test
    void severalMessagesAreArmedAtOnceAndCarryTheirNumber() throws Exception {
        PlayedDevice host = plug(edu());
        plugged.config(MSI + 4, 4, 0xfee0_0000L);
        plugged.config(MSI + 12, 2, 0x60);
        plugged.config(MSI + 2, 2, 0x21);
        assertEquals(List.of("disable 0", "trigger 1+0 eeee"), host.calls());
        host.interrupt(VfioDevice.MSI, 3);
        plugged.carry();
        assertEquals(1, plugged.messages.count(0x63));
        plugged.config(MSI + 16, 4, 0b10);
        host.interrupt(VfioDevice.MSI, 1);
        plugged.carry();
        assertEquals(0, plugged.messages.count(0x61));
        plugged.config(MSI + 16, 4, 0);
        assertEquals(1, plugged.messages.count(0x61));
        assertEquals(List.of(), host.calls());
    }

    @Test
    void messagesThatAreNotGrantedAreNotAskedFor() throws Exception {
        PlayedDevice host = plug(edu());
        plugged.config(MSI + 2, 2, 0x11);
        assertEquals(List.of("disable 0", "trigger 1+0 ee"), host.calls());
        plugged.config(MSI + 2, 2, 0);
        assertEquals(List.of("disable 1", "trigger 0+0 e", "resample 0"), host.calls());
    }

    @Test
    void thePinRisesAndFallsWhenTheGuestHasFinished() throws Exception {
        PlayedDevice host = plug(edu());
        host.interrupt(VfioDevice.INTX, 0);
        plugged.carry();
        assertTrue(plugged.level);
        plugged.finish();
        assertFalse(plugged.level);
        host.interrupt(VfioDevice.INTX, 0);
        plugged.carry();
        assertTrue(plugged.level);
    }

    @Test
    void aPinThatWasHighInASwapFallsAfterIt() throws Exception {
        PlayedDevice host = plug(edu());
        host.interrupt(VfioDevice.INTX, 0);
        plugged.carry();
        plugged.swap();
        plugged.carry();
        assertTrue(plugged.level);
        plugged.finish();
        assertFalse(plugged.level);
        assertEquals(List.of(), host.calls());
    }

    @Test
    void thePinTakesTheKernelsWayAndStatusComesFromTheDevice() throws Exception {
        PlayedDevice host = edu();
        plugged = new Plugged(host, true);
        assertTrue(plugged.routed);
        assertEquals(0, plugged.config(6, 2) & 8);
        host.write(VfioDevice.CONFIG, 6, 2, 0x18);
        assertEquals(8, plugged.config(6, 2) & 8);
        plugged.config(4, 2, 0x402);
        assertFalse(plugged.routed);
        assertEquals(0, plugged.config(6, 2) & 8, "what a thread carries is the slot's to tell");
        plugged.config(4, 2, 2);
        assertTrue(plugged.routed);
    }

    @Test
    void aPinThatTheGuestDisablesStaysLow() throws Exception {
        PlayedDevice host = plug(edu());
        plugged.config(4, 2, 0x406);
        host.interrupt(VfioDevice.INTX, 0);
        plugged.carry();
        assertFalse(plugged.level);
        plugged.config(4, 2, 6);
        assertTrue(plugged.level);
        assertEquals(List.of(), host.calls());
    }

    @Test
    void resetEndsInterruptsAndDmaResetsTheDeviceAndLeavesThePin() throws Exception {
        PlayedDevice host = plug(edu());
        plugged.config(MSI + 2, 2, 0x21);
        host.calls();
        plugged.function.reset();
        plugged.device.reset();
        assertEquals(
                List.of(
                        "disable 1",
                        "write 7+4 3",
                        "reset",
                        "write 7+4 3",
                        "trigger 0+0 e",
                        "resample 0"),
                host.calls());
    }

    @Test
    void aDeviceThatKeepsItsDmaIsResetAllTheSame() throws Exception {
        PlayedDevice host = plug(edu());
        plugged.function.reset();
        host.refusedWrites = 1;
        plugged.device.reset();
        assertEquals(
                List.of("disable 0", "reset", "write 7+4 3", "trigger 0+0 e", "resample 0"),
                host.calls());
    }

    @Test
    void aDeviceWithoutAResetLosesInterruptsAndDma() throws Exception {
        PlayedDevice host = edu();
        host.resettable = false;
        plug(host);
        plugged.function.reset();
        plugged.device.reset();
        assertEquals(
                List.of("disable 0", "write 7+4 3", "trigger 0+0 e", "resample 0"), host.calls());
    }
}
