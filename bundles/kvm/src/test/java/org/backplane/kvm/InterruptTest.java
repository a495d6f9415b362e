package org.backplane.kvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.backplane.hypervisor.EventRoutes;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.Vm;
import org.backplane.linux.EventFd;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Interrupts, and what takes the place of exits: eventfds in both directions. */
@Timeout(60)
class InterruptTest {
    private static final int VECTOR = 0x40;

    private KvmRig rig;

    @BeforeEach
    void setUp() throws Exception {
        rig = KvmRig.open();
    }

    @AfterEach
    void tearDown() {
        if (rig != null) {
            rig.close();
        }
    }

    private void awaitIdle() {
        rig.await(() -> rig.processor(0).idle());
    }

    private void awaitFlags(int count) {
        rig.await(() -> rig.getInt(KvmRig.FLAGS) == count);
    }

    @Test
    void messageWakesAHaltedProcessorThroughItsInterruptTable() throws Exception {
        KvmRig.Runner runner = rig.load("interrupt").start(0);
        for (int i = 1; i <= 3; i++) {
            awaitIdle();
            assertEquals(i - 1, rig.getInt(KvmRig.FLAGS));
            rig.vm.signalMsi(KvmRig.MSI, VECTOR);
            awaitFlags(i);
        }
        runner.join();
        assertEquals(3, rig.result(0));
    }

    @Test
    void messagesThatReachNoProcessorAreTheGuestsMistake() throws Exception {
        KvmRig.Runner runner = rig.load("interrupt").start(0);
        awaitIdle();
        rig.vm.signalMsi(KvmRig.MSI | 0x7f << 12, VECTOR);
        rig.vm.signalMsi(0x1000, VECTOR);
        rig.vm.signalMsi(0xff36_ffff_ffff_fffcL, VECTOR);
        rig.vm.signalMsi(KvmRig.MSI | 1L << 32, VECTOR);
        for (int i = 1; i <= 3; i++) {
            awaitIdle();
            assertEquals(i - 1, rig.getInt(KvmRig.FLAGS));
            rig.vm.signalMsi(KvmRig.MSI, VECTOR);
            awaitFlags(i);
        }
        runner.join();
    }

    @Test
    void eventfdDeliversNothingToAnAddressThatIsNoMessages() throws Exception {
        EventRoutes routes = rig.vm.eventRoutes().orElseThrow();
        KvmRig.Runner runner = rig.load("interrupt").start(0);
        try (EventFd event = EventFd.open();
                EventRoutes.MessageRoute route = routes.message(event)) {
            route.set(KvmRig.MSI, VECTOR);
            route.set(0x1000, VECTOR);
            awaitIdle();
            event.signal();
            rig.vm.signalMsi(KvmRig.MSI, VECTOR);
            awaitFlags(1);
            awaitIdle();
            assertEquals(1, rig.getInt(KvmRig.FLAGS));
            route.set(KvmRig.MSI, VECTOR);
            awaitFlags(2);
            awaitIdle();
            event.signal();
            awaitFlags(3);
        }
        runner.join();
    }

    @Test
    void eventfdDeliversItsMessageWhileItsRouteIsOn() throws Exception {
        EventRoutes routes = rig.vm.eventRoutes().orElseThrow();
        KvmRig.Runner runner = rig.load("interrupt").start(0);
        try (EventFd event = EventFd.open();
                EventRoutes.MessageRoute route = routes.message(event)) {
            route.set(KvmRig.MSI, VECTOR);
            awaitIdle();
            event.signal();
            awaitFlags(1);
            route.off();
            event.signal();
            // The route took nothing: it is still in there.
            assertEquals(1, event.drain());
            event.signal();
            route.set(KvmRig.MSI, VECTOR);
            awaitFlags(2);
            event.signal();
            runner.join();
        }
        assertEquals(3, rig.result(0));
    }

    @Test
    void routesOfMessagesKeepTheInputsOfTheIoApic() throws Exception {
        EventRoutes routes = rig.vm.eventRoutes().orElseThrow();
        try (EventFd event = EventFd.open();
                EventRoutes.MessageRoute route = routes.message(event)) {
            route.set(KvmRig.MSI, VECTOR);
            rig.load("timer");
            assertEquals(3, rig.run());
        }
    }

    @Test
    void levelInterruptComesAgainUntilItsLineFalls() throws Exception {
        CountDownLatch finished = new CountDownLatch(2);
        rig.load("level");
        AtomicInteger reads = new AtomicInteger();
        rig.device =
                address -> {
                    if (reads.incrementAndGet() == 2) {
                        rig.vm.setLine(9, false);
                    }
                    return 0;
                };
        assertEquals(1, rig.run());
        Vm.Lease lease = rig.vm.onResample(9, finished::countDown);
        rig.vm.setLine(9, true);
        assertEquals(2, rig.run());
        finished.await();
        lease.close();
        assertEquals(2, reads.get());
    }

    @Test
    void listenerIsNotToldOnceItsLeaseIsClosed() throws Exception {
        AtomicInteger told = new AtomicInteger();
        rig.load("level");
        rig.device =
                address -> {
                    rig.vm.setLine(9, false);
                    return 0;
                };
        assertEquals(1, rig.run());
        rig.vm.onResample(9, told::incrementAndGet).close();
        CountDownLatch other = new CountDownLatch(1);
        rig.vm.onResample(9, other::countDown);
        KvmRig.Runner runner = rig.start(0);
        rig.vm.setLine(9, true);
        other.await();
        rig.processor(0).kick();
        runner.join();
        assertEquals(0, told.get());
    }

    @Test
    void lineOfAnEventfdFallsAtTheEndOfInterrupt() throws Exception {
        EventRoutes routes = rig.vm.eventRoutes().orElseThrow();
        rig.load("level");
        assertEquals(1, rig.run());
        try (EventFd event = EventFd.open();
                EventFd resample = EventFd.open();
                Vm.Lease line = routes.line(event, resample, 9)) {
            KvmRig.Runner runner = rig.start(0);
            event.signal();
            rig.await(() -> resample.drain() != 0);
            awaitIdle();
            assertEquals(1, rig.getInt(KvmRig.FLAGS));
            event.signal();
            runner.join();
            assertEquals(2, rig.result(0));
            line.close();
        }
    }

    @Test
    void lineOfAnEventfdIsJoinedWithTheLevelThatIsSet() throws Exception {
        EventRoutes routes = rig.vm.eventRoutes().orElseThrow();
        rig.load("level");
        assertEquals(1, rig.run());
        AtomicInteger reads = new AtomicInteger();
        rig.device =
                address -> {
                    if (reads.incrementAndGet() == 2) {
                        rig.vm.setLine(9, false);
                    }
                    return 0;
                };
        try (EventFd event = EventFd.open();
                EventFd resample = EventFd.open();
                Vm.Lease line = routes.line(event, resample, 9)) {
            event.signal();
            rig.vm.setLine(9, true);
            KvmRig.Runner runner = rig.start(0);
            runner.join();
            // The first end took the route's level and left the other: the guest came again.
            assertEquals(2, rig.result(0));
            assertEquals(2, reads.get());
            assertEquals(2, resample.drain());
            line.close();
        }
    }

    @Test
    void everyRouteOfALineIsToldOfTheEndAndRaisesItAgainIfItHasTo() throws Exception {
        EventRoutes routes = rig.vm.eventRoutes().orElseThrow();
        rig.load("level");
        assertEquals(1, rig.run());
        try (EventFd first = EventFd.open();
                EventFd second = EventFd.open();
                EventFd firstEnd = EventFd.open();
                EventFd secondEnd = EventFd.open();
                Vm.Lease one = routes.line(first, firstEnd, 9);
                Vm.Lease other = routes.line(second, secondEnd, 9)) {
            first.signal();
            second.signal();
            KvmRig.Runner runner = rig.start(0);
            rig.await(() -> secondEnd.drain() != 0);
            awaitIdle();
            assertEquals(1, rig.getInt(KvmRig.FLAGS));
            assertEquals(1, firstEnd.drain(), "the end is told to both");
            second.signal();
            runner.join();
            one.close();
            other.close();
        }
    }

    @Test
    void aRouteThatEndsLeavesNoLevelBehind() throws Exception {
        EventRoutes routes = rig.vm.eventRoutes().orElseThrow();
        rig.load("level");
        assertEquals(1, rig.run());
        try (EventFd event = EventFd.open();
                EventFd resample = EventFd.open()) {
            Vm.Lease line = routes.line(event, resample, 9);
            event.signal();
            line.close();
            AtomicInteger reads = new AtomicInteger();
            rig.device =
                    address -> {
                        if (reads.incrementAndGet() == 2) {
                            rig.vm.setLine(9, false);
                        }
                        return 0;
                    };
            KvmRig.Runner runner = rig.start(0);
            // At most the one that was latched before the line fell.
            awaitIdle();
            assertTrue(rig.getInt(KvmRig.FLAGS) <= 1);
            rig.vm.setLine(9, true);
            runner.join();
        }
    }

    @Test
    void bellRingsWithoutAnExitUntilItsLeaseIsClosed() throws Exception {
        rig.load("bell");
        try (EventFd event = EventFd.open()) {
            Vm.Lease bell = rig.vm.doorbell(KvmRig.BELL, 0, event);
            assertEquals(7, rig.run());
            assertEquals(3, event.drain());
            assertEquals(1, rig.stores.size());
            assertEquals(4, rig.stores.remove().value());
            bell.close();
            bell.close();
            assertEquals(8, rig.run());
            assertEquals(0, event.drain());
            assertEquals(5, rig.stores.remove().value());
        }
    }

    @Test
    void bellOfAWidthRingsForThatWidthOnly() throws Exception {
        rig.load("bell");
        try (EventFd event = EventFd.open();
                Vm.Lease bell = rig.vm.doorbell(KvmRig.BELL, 2, event)) {
            assertEquals(7, rig.run());
            assertEquals(1, event.drain());
            assertEquals(3, rig.stores.size());
            bell.close();
        }
    }

    @Test
    void refusesASecondBellAtAnAddressWithASentence() throws Exception {
        try (EventFd event = EventFd.open();
                Vm.Lease bell = rig.vm.doorbell(KvmRig.BELL, 0, event)) {
            HypervisorException refused =
                    assertThrows(
                            HypervisorException.class,
                            () -> rig.vm.doorbell(KvmRig.BELL, 0, event));
            String sentence = refused.getMessage();
            assertTrue(sentence.contains("KVM_IOEVENTFD"), sentence);
            assertTrue(sentence.contains("0xd0001000"), sentence);
            assertTrue(sentence.contains("errno 17"), sentence);
            bell.close();
            assertFalse(sentence.isBlank());
        }
    }
}
