package org.backplane.vfio.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.backplane.linux.Mapping;
import org.backplane.linux.Memfd;
import org.backplane.memory.GuestMemory;
import org.backplane.memory.MemoryLease;
import org.backplane.vfio.PciHostAddress;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A card that comes while the guest's memory changes. */
@Timeout(120)
class DmaMapsTest {
    private static final PciHostAddress NIC = PciHostAddress.parse("01:00.0").orElseThrow();
    private static final long PAGE = Mapping.pageSize();
    private static final long HIGH = 0x1_0000_0000L;
    private static final long BAR = 0xf000_0000L;
    private static final long ELSEWHERE = 0xf800_0000L;

    @TempDir Path root;

    private final CountDownLatch mapping = new CountDownLatch(1);
    private final CountDownLatch changed = new CountDownLatch(1);
    private final ExecutorService control = Executors.newSingleThreadExecutor();
    private VfioContainer container;
    private PlayedKernel kernel;
    private GuestMemory memory;
    private Memfd registers;
    private volatile boolean locked;

    @BeforeEach
    void aKernelThatIsSlowToMapRam() throws IOException {
        HostTree tree = new HostTree(root);
        tree.addReady(NIC.toString(), 5);
        kernel = new PlayedKernel(Files.write(root.resolve("device"), new byte[0x80000]));
        kernel.onMap = this::pins;
        memory =
                new GuestMemory(
                        "test",
                        List.of(
                                new GuestMemory.RamBank(0, 4 * PAGE),
                                new GuestMemory.RamBank(HIGH, 2 * PAGE)));
        registers = Memfd.create("bar", 4 * PAGE);
        container = new VfioContainer(tree.host(), kernel, memory);
    }

    @AfterEach
    void close() {
        changed.countDown();
        control.shutdown();
        container.close();
        memory.close();
        registers.close();
    }

    private void pins(long iova) {
        if (iova == 0) {
            locked = Thread.holdsLock(memory);
            mapping.countDown();
            try {
                changed.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private Map<Long, Long> layout() {
        Map<Long, Long> layout = new TreeMap<>();
        memory.layout().ranges().forEach(each -> layout.put(each.guestAddress(), each.length()));
        return layout;
    }

    @ParameterizedTest
    @EnumSource(IommuChoice.class)
    void barsMoveWhileTheKernelMapsRamAndAreMappedWhereTheyCameToLie(IommuChoice choice)
            throws Exception {
        MemoryLease moves = memory.map(BAR, registers, 0, PAGE, true);
        MemoryLease comesBack = memory.map(BAR + PAGE, registers, PAGE, PAGE, true);
        MemoryLease goes = memory.map(BAR + 2 * PAGE, registers, 2 * PAGE, PAGE, true);
        Future<KernelDevice> opening = control.submit(() -> container.open(NIC, choice));
        mapping.await();
        assertFalse(locked, "what moves a BAR would wait");
        moves.close();
        moves = memory.map(ELSEWHERE, registers, 0, PAGE, true);
        comesBack.close();
        memory.map(BAR + PAGE, registers, PAGE, PAGE, true);
        goes.close();
        memory.map(BAR + 3 * PAGE, registers, 3 * PAGE, PAGE, true);
        assertEquals(Map.of(), kernel.maps);
        changed.countDown();
        opening.get();
        assertEquals(5, layout().size());
        assertEquals(layout(), kernel.maps);

        moves.close();
        memory.map(BAR, registers, 0, PAGE, true);
        assertEquals(layout(), kernel.maps);
        container.close();
        assertEquals(Map.of(), kernel.maps);
    }
}
