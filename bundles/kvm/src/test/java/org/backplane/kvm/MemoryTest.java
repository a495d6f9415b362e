package org.backplane.kvm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.stream.IntStream;
import org.backplane.hypervisor.DirtyLog;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.Vm;
import org.backplane.linux.EventFd;
import org.backplane.linux.Mapping;
import org.backplane.linux.Memfd;
import org.backplane.memory.MemoryLease;
import org.backplane.memory.MemoryRange;
import org.backplane.memory.OffHeap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Memory that comes and goes while a VM is there, and what is known of stores to it. */
@Timeout(60)
class MemoryTest {
    private static final long AT = 0xe000_0000L;

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

    @Test
    void storesToReadOnlyMemoryLeaveTheProcessor() throws Exception {
        rig.load("readonly");
        try (Memfd file = Memfd.create("rom", 4096);
                Mapping view = Mapping.shared(file, 0, 4096, Mapping.Protection.READ_WRITE);
                MemoryLease rom = rig.memory.map(AT, file, 0, 4096, false)) {
            OffHeap.putInt(view.address(), 40);
            OffHeap.putInt(view.address() + 8, 2);
            assertEquals(42, rig.run());
            assertEquals(AT + 8, rig.stores.remove().address());
            assertEquals(AT, rom.range().guestAddress());
        }
    }

    @Test
    void memoryTakenOutIsNoMemory() throws Exception {
        rig.load("readonly");
        rig.device = address -> 3;
        try (Memfd file = Memfd.create("bar", 4096)) {
            MemoryLease bar = rig.memory.map(AT, file, 0, 4096, true);
            bar.close();
            assertEquals(6, rig.run());
            assertEquals(1, rig.stores.size());
        }
    }

    @Test
    void memoryBehindABarIsReachedByItsWidthWithoutAnExit() throws Exception {
        rig.load("bar");
        try (Memfd file = Memfd.create("bar", 8192);
                Mapping view = Mapping.shared(file, 4096, 4096, Mapping.Protection.READ_WRITE);
                MemoryLease bar = rig.memory.map(AT, file, 4096, 4096, true)) {
            assertEquals(0x11 + 0x2222 + 0x3333_3333 + 0x4444_4444, rig.run());
            assertEquals(0x3333_3333_2222_1100L, OffHeap.getLong(view.address()));
            assertEquals(0x4444_4444_5555_5555L, OffHeap.getLong(view.address() + 8));
            assertEquals(0, rig.stores.size());
            assertEquals(AT, bar.range().guestAddress());
        }
    }

    @Test
    void memoryThatGoesIsNotReachedAfterItsLeaseClosed() throws Exception {
        rig.load("bar");
        rig.device = address -> 77;
        try (Memfd file = Memfd.create("bar", 4096);
                Mapping view = Mapping.shared(file, 0, 4096, Mapping.Protection.READ_WRITE)) {
            MemoryLease bar = rig.memory.map(AT, file, 0, 4096, true);
            rig.run();
            OffHeap.putIntVolatile(view.address() + 16, 5);
            KvmRig.Runner runner = rig.start(0);
            rig.await(() -> rig.getInt(KvmRig.FLAGS) == 5);
            bar.close();
            runner.join();
            assertEquals(77, rig.result(0));
        }
    }

    /** KVM refuses a slot over another: one that was left behind would be in the way. */
    @Test
    void aPlaceThatWasLeftTakesOtherMemory() throws Exception {
        rig.load("bar");
        try (Memfd first = Memfd.create("first", 4096);
                Memfd second = Memfd.create("second", 8192);
                Mapping left = Mapping.shared(first, 0, 4096, Mapping.Protection.READ_WRITE);
                Mapping view = Mapping.shared(second, 0, 4096, Mapping.Protection.READ_WRITE)) {
            for (int i = 0; i < 20; i++) {
                rig.memory.map(AT + 4096L * i, first, 0, 4096, true).close();
            }
            try (MemoryLease bar = rig.memory.map(AT, second, 0, 8192, true)) {
                rig.run();
                assertEquals(0x3333_3333_2222_1100L, OffHeap.getLong(view.address()));
                assertEquals(0, OffHeap.getLong(left.address()));
                assertEquals(8192, bar.range().length());
            }
        }
    }

    @Test
    void trapsAndDoorbellsBetweenMappedPagesWork() throws Exception {
        rig.load("bell");
        try (Memfd file = Memfd.create("bar", 4096);
                EventFd event = EventFd.open();
                MemoryLease low = rig.memory.map(KvmRig.BELL - 4096, file, 0, 4096, true);
                MemoryLease high = rig.memory.map(KvmRig.BELL + 4096, file, 0, 4096, true);
                Vm.Lease bell = rig.vm.doorbell(KvmRig.BELL, 0, event)) {
            assertEquals(7, rig.run());
            assertEquals(3, event.drain());
            assertEquals(new KvmRig.Store(false, KvmRig.BELL + 4, 4, 4), rig.stores.remove());
            assertEquals(KvmRig.BELL, low.range().end());
            assertEquals(KvmRig.BELL + 4096, high.range().guestAddress());
            bell.close();
        }
    }

    /** Without those below where the payload stores: page tables are stored to by the processor. */
    private static int[] pages(long[] bits) {
        return IntStream.range(0x500, bits.length * Long.SIZE)
                .filter(i -> (bits[i / Long.SIZE] >>> i % Long.SIZE & 1) != 0)
                .toArray();
    }

    @Test
    void logsThePagesStoredToSinceTheLastQuestion() throws Exception {
        rig.load("dirty");
        DirtyLog log = rig.vm.dirtyLog().orElseThrow();
        MemoryRange ram = rig.memory.layout().ranges().get(0);
        assertThrows(HypervisorException.class, () -> log.take(ram));
        try (Vm.Lease logging = log.start()) {
            assertEquals(1, rig.run());
            assertArrayEquals(new int[] {0x500, 0x503, 0x53f}, pages(log.take(ram)));
            assertEquals(2, rig.run());
            assertArrayEquals(new int[] {0x503}, pages(log.take(ram)));
            assertArrayEquals(new int[0], pages(log.take(ram)));
            assertThrows(IllegalStateException.class, log::start);
            logging.close();
        }
        assertThrows(HypervisorException.class, () -> log.take(ram));
    }
}
