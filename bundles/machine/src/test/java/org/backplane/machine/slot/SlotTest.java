package org.backplane.machine.slot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.backplane.bus.Space;
import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext;
import org.backplane.linux.EventFd;
import org.backplane.machine.MachineException;
import org.backplane.machine.SlotCounters;
import org.backplane.machine.SlotState;
import org.backplane.machine.slot.CounterDevice.Factory;
import org.backplane.machine.slot.CounterDevice.Fault;
import org.backplane.machine.slot.Factories.Offer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
class SlotTest {
    private CounterSlot rig;
    private Slot slot;

    @BeforeEach
    void makeSlot() throws Exception {
        rig = new CounterSlot();
        slot = rig.slot();
    }

    @AfterEach
    void close() throws Exception {
        rig.close();
    }

    private Offer offer(Factory factory) {
        return rig.offer(factory);
    }

    private long base() {
        return rig.base();
    }

    private long read(int offset) {
        return rig.read(offset);
    }

    private void write(long value) {
        rig.write(value);
    }

    @Test
    void filledSlotAnswers() throws Exception {
        slot.fill(offer(new Factory(1, null)));
        assertEquals(SlotState.RUNNING, slot.state());
        write(42);
        assertEquals(42, read(0));
        assertTrue(rig.lineIsHigh());
    }

    @Test
    void whatTheDeviceToldLastStandsBesideItsState() throws Exception {
        Factory factory = new Factory(1, null);
        AtomicReference<DeviceContext> given = new AtomicReference<>();
        slot.fill(
                rig.code()
                        .offer(
                                "counter",
                                context -> {
                                    given.set(context);
                                    return factory.create(context);
                                }));
        assertEquals("", slot.report().detail());
        given.get().tell("gone", "nobody is there");
        assertEquals("gone: nobody is there", slot.report().detail());
        given.get().tell("back", "it is there again");
        assertEquals("back: it is there again", slot.report().detail());
        slot.swap(offer(new Factory(2, null)), false);
        assertFalse(slot.report().detail().contains("back"), slot.report().detail());
    }

    @Test
    void accessesAndRisesOfTheLineAreCountedOverAllDevicesOfTheSlot() throws Exception {
        Offer first = rig.fill(new Factory(1, null));
        write(42);
        read(0);
        read(0);
        assertEquals(new SlotCounters("c0", 2, 1, 0, 1, 0, 0, 0, 0), slot.counters());
        slot.swap(offer(new Factory(2, null)), false);
        write(0);
        write(1);
        SlotCounters swapped = slot.counters();
        assertEquals(3, swapped.registerWrites());
        assertTrue(swapped.interrupts() >= 2, swapped::toString);

        // The regions go with the vacancy, what was counted of them does not.
        slot.vacate(slot.offer().orElseThrow());
        slot.expireVacancy(1);
        slot.fill(first);
        assertEquals(3, slot.counters().registerWrites());
        write(7);
        assertEquals(4, slot.counters().registerWrites());
        assertEquals(2, slot.counters().registerReads());
    }

    @Test
    void swapKeepsRegionStateAndLine() throws Exception {
        var first = new Factory(1, null);
        slot.fill(offer(first));
        long base = base();
        write(42);
        slot.swap(offer(new Factory(2, null)), false);
        assertEquals(base, base());
        assertEquals(2, read(8));
        assertEquals(42, read(0));
        assertTrue(rig.lineIsHigh());
        assertEquals(List.of("start", "quiesce", "save", "close"), first.made.get(0).calls);
        write(0);
        assertFalse(rig.lineIsHigh(), "the old version still drives the line");
    }

    @ParameterizedTest
    @EnumSource(
            value = Fault.class,
            names = {"CREATE", "RESTORE", "START", "LARGER_REGION"})
    void brokenVersionIsRolledBack(Fault fault) throws Exception {
        var first = new Factory(1, null);
        slot.fill(offer(first));
        write(42);
        Offer broken = offer(new Factory(2, fault));
        var refusal = assertThrows(MachineException.class, () -> slot.swap(broken, false));
        assertTrue(refusal.getMessage().contains("rolled back"), refusal.getMessage());
        assertEquals(SlotState.RUNNING, slot.state());
        assertEquals(1, read(8));
        assertEquals(42, read(0));
        assertTrue(rig.lineIsHigh());
        write(43);
        assertEquals(43, read(0));
        slot.swap(offer(new Factory(3, null)), false);
        assertEquals(3, read(8));
        assertEquals(43, read(0));
    }

    @Test
    void oldVersionThatCannotBeSavedStays() throws Exception {
        slot.fill(offer(new Factory(1, Fault.UNSAVABLE)));
        Offer next = offer(new Factory(2, null));
        var refusal = assertThrows(MachineException.class, () -> slot.swap(next, false));
        assertTrue(refusal.getMessage().contains("it has a secret"), refusal.getMessage());
        assertEquals(1, read(8));
    }

    @Test
    void oldVersionThatThrowsInQuiesceOrCloseDoesNotKeepTheSlot() throws Exception {
        slot.fill(offer(new Factory(1, Fault.QUIESCE)));
        Offer next = offer(new Factory(2, null));
        assertThrows(MachineException.class, () -> slot.swap(next, false));
        assertEquals(1, read(8));
        slot.close();
        assertEquals(SlotState.CLOSED, slot.state());
    }

    @Test
    void throwingHandlerFailsTheSlotAndReadsAllOnes() throws Exception {
        slot.fill(offer(new Factory(1, Fault.HANDLER)));
        assertEquals(0xffff_ffffL, read(0));
        awaitFailed();
        assertTrue(slot.report().detail().contains("broken handler"), slot.report().detail());
        assertEquals(0xffff_ffffL, read(0));
    }

    @Test
    void swapRepairsFailedSlot() throws Exception {
        slot.fill(offer(new Factory(1, Fault.HANDLER)));
        read(0);
        awaitFailed();
        slot.swap(offer(new Factory(2, null)), false);
        assertEquals(SlotState.RUNNING, slot.state());
        assertEquals(2, read(8));
    }

    @Test
    void faultDuringASwapThatComesToNothingIsNotForgotten() throws Exception {
        var first = new Factory(1, null);
        rig.fill(first);
        first.made.get(0).throwFromNowOn();
        Offer next =
                rig.code()
                        .offer(
                                "counter",
                                context -> {
                                    read(0);
                                    throw new DeviceException("it does not want to");
                                });
        assertThrows(MachineException.class, () -> slot.swap(next, false));
        awaitFailed();
        assertTrue(slot.report().detail().contains("broken handler"), slot.report().detail());
    }

    @Test
    void deviceWhoseDescriptorCannotBeWatchedFails() throws Exception {
        EventFd gone = EventFd.open();
        gone.close();
        Factory factory = new Factory(1, null);
        slot.fill(
                rig.code()
                        .offer(
                                "counter",
                                context -> {
                                    context.onReadable(gone, () -> {});
                                    return factory.create(context);
                                }));
        awaitFailed();
        assertEquals(0xffff_ffffL, read(0));
    }

    /** The failure is posted by the access; an operation behind it sees it done. */
    private void awaitFailed() {
        while (slot.state() != SlotState.FAILED) {
            if (Thread.interrupted()) {
                throw new AssertionError("waited in vain");
            }
            Thread.onSpinWait();
        }
    }

    @Test
    void vacantSlotParksAccessesAndHandsTheStateOn() throws Exception {
        Offer first = offer(new Factory(1, null));
        slot.fill(first);
        write(42);
        slot.vacate(first);
        assertEquals(SlotState.VACANT, slot.state());
        var seen = new CompletableFuture<Long>();
        var guest = new Thread(() -> seen.complete(read(0)));
        guest.start();
        while (guest.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
        assertFalse(seen.isDone());
        slot.fill(offer(new Factory(2, null)));
        assertEquals(42, seen.get());
        assertEquals(2, read(8));
    }

    @Test
    void vacancyThatNobodyFillsEndsInAllOnesAndGivesItsRegionsBack() throws Exception {
        Offer first = offer(new Factory(1, null));
        slot.fill(first);
        long base = base();
        slot.vacate(first);
        slot.expireVacancy(1);
        while (slot.state() == SlotState.VACANT) {
            Thread.onSpinWait();
        }
        assertEquals(0xffff_ffffL, rig.bus().read(Space.MMIO, base, 4) & 0xffff_ffffL);
        assertFalse(rig.hasRegions());
    }

    @Test
    void endOfAnEarlierVacancyDoesNotEndALaterOne() throws Exception {
        Offer first = offer(new Factory(1, null));
        slot.fill(first);
        slot.vacate(first);
        Offer second = offer(new Factory(2, null));
        slot.fill(second);
        slot.vacate(second);
        slot.expireVacancy(1);
        slot.fill(offer(new Factory(3, null)));
        assertEquals(3, read(8));
    }

    @Test
    void withdrawalOfAnotherOfferChangesNothing() throws Exception {
        slot.fill(offer(new Factory(1, null)));
        slot.vacate(offer(new Factory(1, null)));
        assertEquals(SlotState.RUNNING, slot.state());
    }

    /** A guest that boots meanwhile is to find the device that comes back. */
    @Test
    void firmwareDescribesAVacantSlot() throws Exception {
        Offer first = offer(new Factory(1, null));
        slot.fill(first);
        var described = slot.platformDevice().orElseThrow();
        slot.vacate(first);
        assertEquals(described, slot.platformDevice().orElseThrow());
        slot.expireVacancy(1);
        while (slot.state() == SlotState.VACANT) {
            Thread.onSpinWait();
        }
        assertTrue(slot.platformDevice().isEmpty());
    }

    @Test
    void failedFillGivesEverythingBack() {
        Offer broken = offer(new Factory(1, Fault.START));
        var refusal = assertThrows(MachineException.class, () -> slot.fill(broken));
        assertTrue(refusal.getMessage().startsWith("the test: Slot 'c0': "), refusal.getMessage());
        assertEquals(SlotState.FAILED, slot.state());
    }

    @Test
    void resetReachesTheDeviceAndTheSlotGoesOn() throws Exception {
        var factory = new Factory(1, null);
        slot.fill(offer(factory));
        write(42);
        slot.reset();
        assertEquals(0, read(0));
        assertEquals(List.of("start", "quiesce", "reset", "resume"), factory.made.get(0).calls);
        assertFalse(rig.lineIsHigh());
    }

    @Test
    void resetWhileNobodyIsInReachesTheNextDevice() throws Exception {
        Offer first = offer(new Factory(1, null));
        slot.fill(first);
        write(42);
        slot.vacate(first);
        slot.reset();
        var next = new Factory(2, null);
        slot.fill(offer(next));
        assertEquals(0, read(0));
        assertFalse(rig.lineIsHigh());
        assertEquals(List.of("start", "reset"), next.made.get(0).calls);
        write(7);
        slot.swap(offer(new Factory(3, null)), false);
        assertEquals(7, read(0));
    }

    @Test
    void codeThatFailsAfterAResetIsNotFollowedByTheStateFromBeforeIt() throws Exception {
        slot.fill(offer(new Factory(1, null)));
        write(42);
        var second = new Factory(2, Fault.SAVE);
        slot.swap(offer(second), false);
        slot.reset();
        second.made.get(0).throwFromNowOn();
        read(0);
        while (read(8) != 1) {
            if (Thread.interrupted()) {
                throw new AssertionError("waited in vain");
            }
        }
        assertEquals(0, read(0));
    }

    @Test
    void deviceThatCannotBeResetGivesWayToOneThatIs() throws Exception {
        slot.fill(offer(new Factory(1, null)));
        write(42);
        slot.swap(offer(new Factory(2, Fault.NEVER_IDLE)), false);
        slot.reset();
        assertEquals(SlotState.RUNNING, slot.state());
        assertEquals(1, read(8));
        assertEquals(0, read(0));
    }

    @Test
    void deviceThatIsMadeTooLateIsClosed() throws Exception {
        slot.fill(offer(new Factory(1, null)));
        var slow = new Factory(2, null);
        var release = new CountDownLatch(1);
        Offer next =
                rig.code()
                        .offer(
                                "counter",
                                context -> {
                                    Device made = slow.create(context);
                                    while (release.getCount() > 0) {
                                        Thread.onSpinWait();
                                    }
                                    return made;
                                });
        assertThrows(MachineException.class, () -> slot.swap(next, false));
        release.countDown();
        awaitClosed(slow.made.get(0));
    }

    private static void awaitClosed(CounterDevice device) {
        for (; ; ) {
            synchronized (device.calls) {
                if (device.calls.contains("close")) {
                    return;
                }
            }
            if (Thread.interrupted()) {
                throw new AssertionError("waited in vain");
            }
            Thread.onSpinWait();
        }
    }

    @Test
    void historyTellsTheStepsOfAnUpdate() throws Exception {
        Offer first = offer(new Factory(1, null));
        slot.fill(first);
        slot.vacate(first);
        slot.fill(offer(new Factory(2, null)));
        assertEquals(
                List.of("create", "open", "quiesce", "vacant", "create", "restore", "open", "back"),
                slot.history().stream().map(entry -> entry.step()).toList());
    }

    @Test
    void historyTellsTheStepsOfASwap() throws Exception {
        slot.fill(offer(new Factory(1, null)));
        slot.swap(offer(new Factory(2, null)), false);
        assertEquals(
                List.of("create", "open", "create", "quiesce", "save", "start", "open", "swapped"),
                slot.history().stream().map(entry -> entry.step()).toList());
    }
}
