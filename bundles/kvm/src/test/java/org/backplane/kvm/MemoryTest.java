package org.backplane.kvm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.stream.IntStream;
import org.backplane.hypervisor.DirtyLog;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.Vm;
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
