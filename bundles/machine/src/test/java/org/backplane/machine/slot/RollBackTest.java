package org.backplane.machine.slot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import org.backplane.hypervisor.AbandonedExit;
import org.backplane.machine.MachineException;
import org.backplane.machine.SlotState;
import org.backplane.machine.SwapReport;
import org.backplane.machine.processor.MachineThread;
import org.backplane.machine.slot.CounterDevice.Factory;
import org.backplane.machine.slot.CounterDevice.Fault;
import org.backplane.machine.slot.Factories.Offer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a slot does with code that breaks after it was let in, hangs, or never comes to rest. */
@Timeout(60)
class RollBackTest {
    private CounterSlot rig;

    @BeforeEach
    void open() throws Exception {
        rig = new CounterSlot();
    }

    @AfterEach
    void close() throws Exception {
        rig.close();
    }

    private Slot slot() {
        return rig.slot();
    }

    private static void await(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            if (Thread.interrupted()) {
                throw new AssertionError("waited in vain");
            }
            Thread.onSpinWait();
        }
    }

    private void awaitVersion(Offer offer) {
        await(() -> slot().offer().filter(now -> now == offer).isPresent());
    }

    private boolean told(String step) {
        return slot().history().stream().anyMatch(entry -> entry.step().equals(step));
    }

    /** A processor's thread that reads, and whose successor reads again if it is orphaned. */
    private CompletableFuture<Long> readByProcessor(int offset) {
        var value = new CompletableFuture<Long>();
        readByProcessor(offset, value);
        return value;
    }

    private void readByProcessor(int offset, CompletableFuture<Long> value) {
        new MachineThread(
                "vcpu0",
                () -> {
                    try {
                        value.complete(rig.read(offset));
                    } catch (AbandonedExit e) {
                        rig.abandonedExits().incrementAndGet();
                    }
                }) {
            @Override
            public void replace() {
                readByProcessor(offset, value);
            }
        }.start();
    }

    private void overstay(String name) {
        await(
                () -> {
                    for (MachineThread thread : MachineThread.all()) {
                        if (thread.getName().equals(name) && thread.inside() instanceof Gate gate) {
                            gate.overstayed(thread);
                            return true;
                        }
                    }
                    return false;
                });
    }

    @Test
    void codeThatFailsOnProbationGivesWayToTheCodeBefore() throws Exception {
        Offer first = rig.fill(new Factory(1, null));
        rig.write(42);
        Offer broken = rig.offer(new Factory(2, Fault.HANDLER));
        slot().swap(broken, false);
        assertEquals(42, rig.read(0));
        awaitVersion(first);
        assertEquals(1, rig.read(8));
        assertTrue(rig.lineIsHigh());
        // Both come after the guest was let in.
        await(() -> told("fell back"));
        await(() -> rig.code().failed.equals(List.of(broken.code())));
    }

    @Test
    void whatTheFailedCodeLearnedIsNotLost() throws Exception {
        Offer first = rig.fill(new Factory(1, null));
        slot().swap(rig.offer(new Factory(2, Fault.HANDLER)), false);
        rig.write(43);
        rig.read(0);
        awaitVersion(first);
        assertEquals(43, rig.read(0));
    }

    @Test
    void stateOfTheSwapServesWhenTheFailedCodeTellsNone() throws Exception {
        Offer first = rig.fill(new Factory(1, null));
        rig.write(42);
        var second = new Factory(2, Fault.SAVE);
        slot().swap(rig.offer(second), false);
        rig.write(43);
        second.made.get(0).throwFromNowOn();
        rig.read(0);
        awaitVersion(first);
        assertTrue(told("not saved"));
        assertEquals(42, rig.read(0));
    }

    @Test
    void codeThatFailsAfterItsProbationFailsTheSlot() throws Exception {
        Offer first = rig.fill(new Factory(1, null));
        var second = new Factory(2, null);
        slot().swap(rig.offer(second), false);
        slot().accept();
        assertEquals(List.of(first.code()), rig.code().unused);
        second.made.get(0).throwFromNowOn();
        rig.read(0);
        await(() -> slot().state() == SlotState.FAILED);
        assertThrows(MachineException.class, () -> slot().accept());
    }

    @Test
    void stateOfAFailedDeviceGoesToTheOneThatRepairsTheSlot() throws Exception {
        var first = new Factory(1, null);
        rig.fill(first);
        rig.write(42);
        first.made.get(0).throwFromNowOn();
        rig.read(0);
        await(() -> slot().state() == SlotState.FAILED);
        slot().swap(rig.offer(new Factory(2, null)), false);
        assertEquals(42, rig.read(0));
    }

    @Test
    void nextSwapEndsTheProbationOfTheOneBefore() throws Exception {
        Offer first = rig.fill(new Factory(1, null));
        Offer second = rig.offer(new Factory(2, null));
        slot().swap(second, false);
        assertTrue(slot().uses(first.bundle()));
        slot().swap(rig.offer(new Factory(3, null)), false);
        assertEquals(List.of(first.code()), rig.code().unused);
        assertFalse(slot().uses(first.bundle()));
        assertTrue(slot().uses(second.bundle()));
    }

    @Test
    void goingBackByHandKeepsBoth() throws Exception {
        Offer first = rig.fill(new Factory(1, null));
        slot().swap(rig.offer(new Factory(2, null)), false);
        slot().swap(first, false);
        assertEquals(1, rig.read(8));
        assertEquals(List.of(), rig.code().unused);
    }

    @Test
    void handlerThatDoesNotReturnFailsTheSlotAndTheProcessorGoesOn() throws Exception {
        rig.fill(new Factory(1, Fault.HANGS_IN_HANDLER));
        CompletableFuture<Long> value = readByProcessor(0);
        overstay("vcpu0");
        assertEquals(0xffff_ffffL, value.get());
        await(() -> slot().state() == SlotState.FAILED);
        assertTrue(slot().report().detail().contains("vcpu0"), slot().report().detail());
        slot().swap(rig.offer(new Factory(2, null)), false);
        assertEquals(2, rig.read(8));
        rig.release();
        await(() -> rig.abandonedExits().get() == 1);
        assertEquals(2, rig.read(8));
        assertEquals(SlotState.RUNNING, slot().state());
    }

    @Test
    void accessThatHungOnProbationIsAnsweredByTheCodeBefore() throws Exception {
        Offer first = rig.fill(new Factory(1, null));
        rig.write(42);
        slot().swap(rig.offer(new Factory(2, Fault.HANGS_IN_HANDLER)), false);
        CompletableFuture<Long> value = readByProcessor(0);
        overstay("vcpu0");
        assertEquals(42, value.get());
        awaitVersion(first);
        rig.release();
        await(() -> rig.abandonedExits().get() == 1);
    }

    @ParameterizedTest
    @EnumSource(
            value = Fault.class,
            names = {"HANGS_IN_CREATE", "RESTORE", "START"})
    void codeThatCannotBeginCostsTheGuestNothing(Fault fault) throws Exception {
        Offer first = rig.fill(new Factory(1, null));
        rig.write(42);
        Offer broken = rig.offer(new Factory(2, fault));
        assertThrows(MachineException.class, () -> slot().swap(broken, false));
        awaitVersion(first);
        assertEquals(42, rig.read(0));
    }

    @ParameterizedTest
    @EnumSource(
            value = Fault.class,
            names = {"HANGS_IN_QUIESCE", "NEVER_IDLE", "SAVE", "UNSAVABLE"})
    void deviceThatDoesNotLetGoStaysUntilItIsForced(Fault fault) throws Exception {
        Offer first = rig.fill(new Factory(1, fault));
        rig.write(42);
        Offer next = rig.offer(new Factory(2, null));
        assertThrows(MachineException.class, () -> slot().swap(next, false));
        awaitVersion(first);
        assertEquals(42, rig.read(0));
        SwapReport report = slot().swap(next, true);
        assertEquals("1.0.2", report.slot().version());
        assertEquals(2, rig.read(8));
        // What cannot be told is lost; what hangs elsewhere tells its state.
        boolean tells = fault == Fault.HANGS_IN_QUIESCE || fault == Fault.NEVER_IDLE;
        assertEquals(tells ? 42 : 0, rig.read(0));
    }

    @Test
    void deviceThatDoesNotCloseKeepsNothingOfTheSlot() throws Exception {
        rig.fill(new Factory(1, Fault.HANGS_IN_CLOSE));
        rig.write(42);
        slot().swap(rig.offer(new Factory(2, null)), false);
        assertEquals(42, rig.read(0));
    }

    @Test
    void updatedCodeThatRefusesTheStateBringsTheCodeBeforeBack() throws Exception {
        Offer first = rig.fill(new Factory(1, null));
        rig.write(42);
        slot().vacate(first);
        Offer updated = PlayedCode.offer("counter", new Factory(2, Fault.RESTORE), first.bundle());
        assertThrows(MachineException.class, () -> slot().fill(updated));
        assertEquals(SlotState.VACANT, slot().state());
        assertEquals(List.of(first.code()), rig.code().comingBack);
        CompletableFuture<Long> parked = readByProcessor(0);
        slot().fill(rig.offer(new Factory(1, null)));
        assertEquals(42, parked.get());
    }

    @Test
    void bundleThatDoesNotReturnFromItsUpdateBringsTheCodeBeforeBack() throws Exception {
        Offer first = rig.fill(new Factory(1, null));
        slot().bundleDidNotReturn(first.bundle(), System.nanoTime());
        slot().vacate(first);
        assertEquals(List.of(), rig.code().comingBack);
        slot().bundleDidNotReturn(rig.offer(new Factory(2, null)).bundle(), System.nanoTime());
        slot().bundleDidNotReturn(first.bundle(), System.nanoTime());
        await(() -> rig.code().comingBack.equals(List.of(first.code())));
    }

    @Test
    void updatedCodeThatFailsOnProbationBringsTheCodeBeforeBack() throws Exception {
        Offer first = rig.fill(new Factory(1, null));
        rig.write(42);
        slot().vacate(first);
        rig.update(first.bundle(), new Factory(2, Fault.HANDLER));
        CompletableFuture<Long> value = readByProcessor(0);
        await(() -> rig.code().comingBack.equals(List.of(first.code())));
        assertEquals(SlotState.VACANT, slot().state());
        slot().fill(rig.offer(new Factory(1, null)));
        assertEquals(42, value.get());
    }

    @Test
    void deviceThatDoesNotComeToRestLeavesInPlaceAllTheSame() throws Exception {
        Offer first = rig.fill(new Factory(1, Fault.NEVER_IDLE));
        rig.write(42);
        slot().vacate(first);
        slot().fill(rig.offer(new Factory(2, null)));
        assertEquals(42, rig.read(0));
    }

    @Test
    void whatAnAbandonedThreadThrowsLateDoesNotFailTheNextDevice() throws Exception {
        var first = new Factory(1, Fault.HANGS_IN_HANDLER);
        rig.fill(first);
        CompletableFuture<Long> value = readByProcessor(0);
        overstay("vcpu0");
        value.get();
        slot().swap(rig.offer(new Factory(2, null)), false);
        first.made.get(0).throwFromNowOn();
        rig.release();
        await(() -> rig.abandonedExits().get() == 1);
        slot().swap(rig.offer(new Factory(3, null)), false);
        assertEquals(SlotState.RUNNING, slot().state());
    }

    /** Each vacancy is of the same bundle, and the probation of the update before still lasts. */
    @Test
    void bundleThatIsUpdatedTwiceInARowIsInUseThroughout() throws Exception {
        Offer first = rig.fill(new Factory(1, null));
        rig.write(42);
        Offer now = first;
        for (int version = 2; version < 5; version++) {
            slot().vacate(now);
            assertTrue(slot().uses(first.bundle()));
            now = rig.update(first.bundle(), new Factory(version, null));
            assertEquals(version, rig.read(8));
        }
        assertEquals(42, rig.read(0));
        assertEquals(2, rig.code().unused.size());
        assertEquals(rig.code().unused, rig.code().sharing);
    }

    @Test
    void lookForAnEarlierUpdateDoesNotDisturbTheNext() throws Exception {
        Offer first = rig.fill(new Factory(1, null));
        slot().vacate(first);
        Offer second = rig.update(first.bundle(), new Factory(2, null));
        long updated = System.nanoTime();
        slot().vacate(second);
        slot().bundleDidNotReturn(first.bundle(), updated);
        rig.update(first.bundle(), new Factory(3, null));
        assertEquals(List.of(), rig.code().comingBack);
        assertEquals(3, rig.read(8));
    }

    @Test
    void codeOfAnotherShapeIsPluggedAnew() throws Exception {
        Offer first = rig.fill(new Factory(1, null));
        rig.write(42);
        Offer larger = rig.offer(new Factory(2, Fault.LARGER_REGION));
        assertThrows(MachineException.class, () -> slot().swap(larger, false));
        slot().replug(larger);
        assertEquals(2, rig.read(8));
        assertEquals(0, rig.read(0));
        assertEquals(List.of(first.code()), rig.code().unused);
    }

    @Test
    void codeThatCannotBePluggedAnewLeavesTheCodeBefore() throws Exception {
        rig.fill(new Factory(1, null));
        Offer broken = rig.offer(new Factory(2, Fault.START));
        assertThrows(MachineException.class, () -> slot().replug(broken));
        assertEquals(1, rig.read(8));
        assertEquals(SlotState.RUNNING, slot().state());
    }

    @Test
    void codeThatFailedGoesWhenOtherCodeRepairsTheSlot() throws Exception {
        Offer first = rig.fill(new Factory(1, Fault.HANDLER));
        rig.read(0);
        await(() -> slot().state() == SlotState.FAILED);
        assertEquals(List.of(), rig.code().failed);
        slot().swap(rig.offer(new Factory(2, null)), false);
        assertEquals(List.of(first.code()), rig.code().failed);
    }

    @Test
    void deviceThatNeverRestsIsSaidToHaveRequests() throws Exception {
        rig.fill(new Factory(1, Fault.NEVER_IDLE));
        Offer next = rig.offer(new Factory(2, null));
        var refusal = assertThrows(MachineException.class, () -> slot().swap(next, false));
        assertTrue(
                refusal.getMessage().contains("its requests were not done after 1 s"),
                refusal.getMessage());
    }

    @Test
    void watchdogTellsOfAThreadThatStaysAndOfNoOther() throws Exception {
        rig.fill(new Factory(1, Fault.HANGS_IN_HANDLER));
        var watchdog = new Watchdog(3);
        CompletableFuture<Long> value = readByProcessor(0);
        await(
                () ->
                        MachineThread.all().stream()
                                .anyMatch(thread -> thread.inside() instanceof Gate));
        for (int look = 0; look < 3; look++) {
            watchdog.look();
        }
        // Behind whatever the looks have posted.
        assertThrows(MachineException.class, () -> slot().accept());
        assertEquals(SlotState.RUNNING, slot().state());
        watchdog.look();
        assertEquals(0xffff_ffffL, value.get());
        rig.release();
    }
}
