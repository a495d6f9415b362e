package org.backplane.kvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.HypervisorException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What goes on in another VM from the state and the memory of one. */
@Timeout(60)
class SavedVmTest {
    private final List<KvmRig> rigs = new ArrayList<>();

    private KvmRig rig(int processors) throws Exception {
        KvmRig rig = KvmRig.open(processors);
        rigs.add(rig);
        return rig;
    }

    private KvmRig restored(KvmRig rig, SavedState state) throws Exception {
        KvmRig other = rig.restored(state);
        rigs.add(other);
        return other;
    }

    @AfterEach
    void tearDown() {
        rigs.forEach(KvmRig::close);
    }

    @Test
    void goesOnInTheMidstOfALoop() throws Exception {
        KvmRig rig = rig(1).load("spin");
        KvmRig.Runner runner = rig.start(0);
        rig.await(() -> rig.get(KvmRig.FLAGS) >= 1000);
        rig.processor(0).kick();
        runner.join();
        KvmRig other = restored(rig, rig.save());
        long counted = other.get(KvmRig.FLAGS);
        KvmRig.Runner goesOn = other.start(0);
        other.await(() -> other.get(KvmRig.FLAGS) != counted);
        other.put(KvmRig.FLAGS + 8, 1);
        goesOn.join();
        // Had a register been lost the count would not have gone on from there.
        assertEquals(0, other.result(0));
    }

    @Test
    void savesAgainWhatWasRestored() throws Exception {
        // No timer of the kernel's runs in it, which would go on between the two.
        KvmRig rig = rig(2).load("level");
        assertEquals(1, rig.run());
        SavedState saved = rig.save();
        KvmRig other = rig(2);
        other.vm.restore(saved);
        assertEquals(comparable(saved), comparable(other.vm.save()));
    }

    /** Without how long ago timers were loaded, which counts on. */
    private static SavedState comparable(SavedState vm) {
        SavedState.Builder copy = copy(vm);
        SavedState chipset = vm.child("chipset");
        byte[] timer = chipset.bytes("timer");
        for (int i = 0; i < 3; i++) {
            int at = KvmAbi.PIT_LOAD_TIME + i * KvmAbi.PIT_CHANNEL_BYTES;
            for (int j = 0; j < 8; j++) {
                timer[at + j] = 0;
            }
        }
        copy.child("chipset", copy(chipset).bytes("timer", timer).build());
        return copy.build();
    }

    static SavedState.Builder copy(SavedState state) {
        SavedState.Builder copy = SavedState.of(state.schema(), state.version());
        state.numbers().forEach(copy::number);
        state.byteNames().forEach(name -> copy.bytes(name, state.bytes(name)));
        state.children().forEach(copy::child);
        return copy;
    }

    @Test
    void haltedProcessorIsStillHaltedAndWakes() throws Exception {
        KvmRig rig = rig(1).load("interrupt");
        KvmRig.Runner runner = rig.start(0);
        rig.await(() -> rig.processor(0).idle());
        rig.vm.signalMsi(KvmRig.MSI, 0x40);
        rig.await(() -> rig.getInt(KvmRig.FLAGS) != 0 && rig.processor(0).idle());
        rig.processor(0).kick();
        runner.join();
        KvmRig other = restored(rig, rig.save());
        KvmRig.Runner goesOn = other.start(0);
        for (int i = 2; i <= 3; i++) {
            int count = i;
            other.await(() -> other.processor(0).idle());
            other.vm.signalMsi(KvmRig.MSI, 0x40);
            other.await(() -> other.getInt(KvmRig.FLAGS) >= count);
        }
        goesOn.join();
        assertEquals(3, other.result(0));
    }

    @Test
    void pendingInterruptIsDelivered() throws Exception {
        KvmRig rig = rig(1).load("interrupt");
        KvmRig.Runner runner = rig.start(0);
        rig.await(() -> rig.processor(0).idle());
        rig.processor(0).kick();
        runner.join();
        rig.vm.signalMsi(KvmRig.MSI, 0x40);
        KvmRig other = restored(rig, rig.save());
        KvmRig.Runner goesOn = other.start(0);
        other.await(() -> other.getInt(KvmRig.FLAGS) != 0);
        other.processor(0).kick();
        goesOn.join();
        assertEquals(1, other.getInt(KvmRig.FLAGS));
    }

    /**
     * Saved while a handler does not return, in the n-th access of a payload: what has been made is
     * not made again, what has not is.
     */
    @Test
    void accessUnderWayIsMadeByTheRestoredProcessorAndNoOther() throws Exception {
        // A load, pieces of a store over a page's end, a port, six elements of a string.
        List<KvmRig.Store> all = null;
        for (int stuckAt = 0; ; stuckAt++) {
            KvmRig rig = rig(1).load("store");
            AtomicInteger given = new AtomicInteger('a');
            AtomicInteger loads = new AtomicInteger();
            rig.port = number -> given.getAndIncrement();
            rig.device = address -> loads.incrementAndGet();
            CountDownLatch inside = new CountDownLatch(1);
            CountDownLatch release = new CountDownLatch(1);
            AtomicInteger left = new AtomicInteger(stuckAt);
            rig.exit =
                    () -> {
                        if (left.getAndDecrement() == 0) {
                            inside.countDown();
                            try {
                                release.await();
                            } catch (InterruptedException e) {
                                throw new IllegalStateException(e);
                            }
                        }
                    };
            Thread waiting = new Thread(() -> awaitEnd(rig.start(0), inside));
            waiting.start();
            inside.await();
            if (rig.result(0) != 0) {
                assertEquals(stuckAt, 1 + pieces(all) + 6, "every access was stuck once");
                return;
            }
            List<KvmRig.Store> before = new ArrayList<>(rig.stores);
            SavedState saved = rig.save();
            assertEquals(comparable(saved), comparable(rig.vm.save()));
            KvmRig other = restored(rig, saved);
            other.port = number -> given.getAndIncrement();
            other.device = address -> loads.incrementAndGet();
            other.stores.addAll(before);
            assertEquals(4, other.run());
            assertEquals("abcdef", other.text(KvmRig.FLAGS + 0x100, 6));
            assertEquals(1, loads.get(), "loads, stuck at " + stuckAt);
            // The one that was saved goes on too, as after a snapshot.
            given.set('u');
            loads.set(0);
            rig.vm.startTime();
            release.countDown();
            waiting.join();
            assertEquals(4, rig.result(0));
            assertEquals(new ArrayList<>(other.stores), new ArrayList<>(rig.stores));
            if (all != null) {
                assertEquals(all, new ArrayList<>(rig.stores), "stuck at " + stuckAt);
            }
            all = new ArrayList<>(rig.stores);
        }
    }

    private static int pieces(List<KvmRig.Store> all) {
        return all.size();
    }

    private static void awaitEnd(KvmRig.Runner runner, CountDownLatch inside) {
        try {
            runner.join();
        } catch (InterruptedException | HypervisorException e) {
            throw new IllegalStateException(e);
        } finally {
            inside.countDown();
        }
    }

    @Test
    void resetBeginsAnew() throws Exception {
        KvmRig rig = rig(2).load("processors");
        rig.runAll();
        rig.put(0x9000, 0);
        rig.vm.stopTime();
        long time = rig.vm.guestTime();
        rig.vm.reset();
        rig.vm.startTime();
        rig.load("processors");
        rig.runAll();
        assertEquals(0x1111, rig.result(0));
        assertEquals(0x3333, rig.result(1));
        assertTrue(rig.vm.guestTime() > time);
    }

    private static void pass(long nanos) {
        long before = System.nanoTime();
        while (System.nanoTime() - before < nanos) {
            Thread.onSpinWait();
        }
    }

    @Test
    void guestTimeStandsWhileStoppedAndGoesOnFromThere() throws Exception {
        KvmRig rig = rig(1);
        rig.vm.stopTime();
        long stopped = rig.vm.guestTime();
        pass(20_000_000);
        assertEquals(stopped, rig.vm.guestTime());
        long start = System.nanoTime();
        rig.vm.startTime();
        long now = rig.vm.guestTime();
        long passed = System.nanoTime() - start;
        assertTrue(now >= stopped && now - stopped <= passed, (now - stopped) + " in " + passed);
    }

    @Test
    void timeStampCountersGoOnFromWhereTheyWereStopped() throws Exception {
        KvmRig rig = rig(2);
        VcpuState first = rig.processor(0).state();
        VcpuState second = rig.processor(1).state();
        second.tscOffset(first.tscOffset() - 1000);
        boolean taken = second.tscOffset() == first.tscOffset() - 1000;
        if (!taken) {
            System.out.println("SavedVmTest: skipped, this KVM gives guests the host's counter");
        }
        Assumptions.assumeTrue(taken, "page-table VMs give guests the host's counter");
        rig.vm.stopTime();
        long offset = first.tscOffset();
        long stopped = first.msr(VcpuState.TSC);
        pass(20_000_000);
        long later = first.msr(VcpuState.TSC);
        rig.vm.startTime();
        long setBack = offset - first.tscOffset();
        assertTrue(setBack >= later - stopped, "by " + setBack + " of " + (later - stopped));
        assertEquals(first.tscOffset() - 1000, second.tscOffset(), "as far apart as before");
    }

    @Test
    void refusesToTouchWhatRuns() throws Exception {
        KvmRig rig = rig(1).load("spin");
        assertThrows(IllegalStateException.class, rig.vm::save);
        KvmRig.Runner runner = rig.start(0);
        rig.await(() -> rig.get(KvmRig.FLAGS) != 0);
        assertThrows(IllegalStateException.class, rig.vm::stopTime);
        assertThrows(IllegalStateException.class, rig.vm::reset);
        assertThrows(IllegalStateException.class, () -> rig.vm.restore(null));
        rig.processor(0).kick();
        runner.join();
        rig.save();
    }

    @Test
    void refusesTheStateOfOtherVmsWithASentence() throws Exception {
        KvmRig rig = rig(1);
        SavedState two = rig(2).save();
        String sentence =
                assertThrows(HypervisorException.class, () -> rig.vm.restore(two)).getMessage();
        assertTrue(sentence.contains("processors is 2 and this VM's is 1"), sentence);
        SavedState other = SavedState.of("hart-vm", 1).build();
        sentence =
                assertThrows(HypervisorException.class, () -> rig.vm.restore(other)).getMessage();
        assertTrue(sentence.contains("'hart-vm'"), sentence);
    }
}
