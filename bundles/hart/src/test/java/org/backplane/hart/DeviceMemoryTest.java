package org.backplane.hart;

import static org.backplane.hart.Program.A0;
import static org.backplane.hart.Program.A1;
import static org.backplane.hart.Program.A2;
import static org.backplane.hart.Program.S0;
import static org.backplane.hart.Program.S1;
import static org.backplane.hart.Program.S2;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.Vm;
import org.backplane.linux.EventFd;
import org.backplane.linux.Fd;
import org.backplane.linux.Mapping;
import org.backplane.linux.Memfd;
import org.backplane.linux.OpenFlag;
import org.backplane.memory.MemoryLease;
import org.backplane.memory.OffHeap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Host memory behind a BAR: what a hart reaches there, and when. */
@Timeout(120)
class DeviceMemoryTest {
    private static final int PAGE = CodePage.SIZE;
    private static final long BAR = 0x4000_0000L;
    private static final long ELSEWHERE = 0x4100_0000L;
    private static final long VIRTUAL = 0x10_0000_0000L;
    private static final long FLAGS = Rig.RAM + 0x10_0000;
    private static final long LEAF =
            Sv39.VALID | Sv39.READ | Sv39.WRITE | Sv39.ACCESSED | Sv39.DIRTY;

    private Rig rig;
    private Memfd file;
    private Mapping view;

    @BeforeEach
    void setUp() throws Exception {
        rig = new Rig();
        file = Memfd.create("bar", 4 * PAGE);
        view = Mapping.shared(file, 0, 4 * PAGE, Mapping.Protection.READ_WRITE);
    }

    @AfterEach
    void tearDown() {
        rig.close();
        view.close();
        file.close();
    }

    private long at(long offset) {
        return OffHeap.getLongVolatile(view.address() + offset);
    }

    @ParameterizedTest
    @CsvSource({
        "1, 0xffffffffffff98ff, 0xffffffffffffff98",
        "2, 0xffffffffba98ffff, 0xffffffffffffba98",
        "4, 0xfedcba98ffffffff, 0xfffffffffedcba98",
        "8, 0x01234567fedcba98, 0x01234567fedcba98"
    })
    void aStoreReachesItsBytesOnlyAndALoadGivesThem(int width, String bytes, String loaded)
            throws Exception {
        OffHeap.putLongVolatile(view.address() + 64, -1);
        try (MemoryLease bar = rig.memory.map(BAR, file, 0, PAGE, true)) {
            int offset = width == 8 ? 64 : 64 + width;
            Program p = new Program(Rig.RAM).li(S0, BAR).li(A1, 0x0123_4567_fedc_ba98L);
            p.store(width, A1, offset, S0).load(width, A0, offset, S0).exit(A0);
            assertEquals(Long.parseUnsignedLong(loaded.substring(2), 16), rig.run(p));
            assertEquals(BAR, bar.range().guestAddress());
        }
        assertEquals(Long.parseUnsignedLong(bytes.substring(2), 16), at(64));
        assertEquals(0, at(56));
        assertEquals(0, at(72));
        assertTrue(rig.stores.isEmpty(), "an access left the processor");
    }

    @Test
    void whatIsTrappedBetweenMappedPagesComesToTheMachine() throws Exception {
        rig.device = address -> address & 0xffff;
        try (MemoryLease low = rig.memory.map(BAR, file, 0, PAGE, true);
                MemoryLease high = rig.memory.map(BAR + 2 * PAGE, file, 2 * PAGE, 2 * PAGE, true)) {
            Program p = new Program(Rig.RAM).li(S0, BAR + PAGE).li(A1, 5);
            p.store(4, A1, -4, S0).store(4, A1, 0, S0).load(4, A0, 8, S0);
            p.li(S1, BAR + 2 * PAGE).store(4, A1, -4, S1).store(4, A1, 0, S1).exit(A0);
            assertEquals(PAGE + 8, rig.run(p));
            assertEquals(
                    List.of(
                            new Rig.Store(0, BAR + PAGE, 4, 5),
                            new Rig.Store(0, BAR + 2 * PAGE - 4, 4, 5)),
                    List.copyOf(rig.stores));
            assertEquals(5L << 32, at(low.range().length() - 8));
            assertEquals(5, at(high.range().offset()));
            assertEquals(0, at(PAGE));
        }
    }

    @Test
    void aDoorbellBetweenMappedPagesRingsWithoutAnExit() throws Exception {
        try (EventFd event = EventFd.open();
                MemoryLease low = rig.memory.map(BAR, file, 0, PAGE, true);
                MemoryLease high = rig.memory.map(BAR + 2 * PAGE, file, 0, PAGE, true)) {
            Vm.Lease bell = rig.vm.doorbell(BAR + PAGE, 0, event);
            Program p = new Program(Rig.RAM).li(S0, BAR + PAGE).li(A1, 1);
            p.store(4, A1, -4, S0).store(4, A1, 0, S0).store(2, A1, 0, S0).exit(A1);
            assertEquals(1, rig.run(p));
            assertEquals(2, event.drain());
            assertTrue(rig.stores.isEmpty());
            assertEquals(1L << 32, at(low.range().length() - 8));
            assertEquals(PAGE, high.range().length());
            bell.close();
        }
    }

    /** Reached by a translation of a page, and by one of 2 MiB, which has other pages, too. */
    @ParameterizedTest
    @CsvSource({"0", "1"})
    void noTranslationOutlivesTheLease(int level) throws Exception {
        rig.mapIdentity();
        rig.map(VIRTUAL, BAR, LEAF, level);
        rig.device = address -> 77;
        MemoryLease bar = rig.memory.map(BAR, file, 0, PAGE, true);
        Program p = new Program(Rig.RAM).csrli(Csrs.SATP, Rig.satp(3)).li(S0, VIRTUAL);
        p.li(S1, FLAGS).li(A1, 5).store(8, A1, 0, S0).li(A2, 77);
        p.label("again").load(8, A0, 0, S0).store(8, A0, 0, S1).bne(A0, A2, "again");
        rig.put(p.store(8, A1, 8, S0).exit(A0));
        rig.hart(0).enterAt(p.base());
        Rig.Runner runner = rig.start(0);
        while (rig.get(FLAGS) != 5) {
            Thread.onSpinWait();
        }
        bar.close();
        runner.join();
        assertEquals(77, rig.result(0));
        assertEquals(List.of(new Rig.Store(0, BAR + 8, 8, 5)), List.copyOf(rig.stores));
        assertEquals(0, at(8));
    }

    /** As a BAR that the guest moves: by the handler of its own access, on the hart's thread. */
    @Test
    void aHartThatMovesItInAHandlerFindsItAtItsNewPlaceNext() throws Exception {
        AtomicLong moves = new AtomicLong();
        MemoryLease[] bar = {rig.memory.map(BAR, file, 0, PAGE, true)};
        rig.device =
                address -> {
                    if (address == Rig.DEVICE) {
                        bar[0].close();
                        bar[0] = map(moves.incrementAndGet() % 2 == 0 ? BAR : ELSEWHERE);
                        return 0;
                    }
                    return -1;
                };
        // Each turn counts where the BAR is, moves it, and adds what the old place reads as: -1.
        Program p = new Program(Rig.RAM).li(S0, BAR).li(S1, ELSEWHERE).li(S2, Rig.DEVICE);
        p.li(A2, 100).li(A1, 0).label("again");
        p.load(8, A0, 0, S0).addi(A0, A0, 1).store(8, A0, 0, S0).load(8, A0, 0, S2);
        p.load(8, A0, 0, S0).add(A1, A1, A0);
        p.load(8, A0, 0, S1).addi(A0, A0, 1).store(8, A0, 0, S1).load(8, A0, 0, S2);
        p.load(8, A0, 0, S1).add(A1, A1, A0);
        p.addi(A2, A2, -1).bne(A2, 0, "again").exit(A1);
        assertEquals(-200, rig.run(p));
        assertEquals(200, at(0));
        bar[0].close();
    }

    @Test
    void memoryThatTheHostTakesAwayEndsTheRunWithASentence(@TempDir Path folder) throws Exception {
        Path path = Files.write(folder.resolve("bar"), new byte[PAGE]);
        try (Fd shrinking = Fd.open(path, OpenFlag.READ, OpenFlag.WRITE);
                MemoryLease bar = rig.memory.map(BAR, shrinking, 0, PAGE, true)) {
            Files.write(path, new byte[0]);
            Program p = new Program(Rig.RAM).li(S0, BAR).label("again").load(8, A0, 0, S0);
            rig.put(p.jump("again"));
            HypervisorException failure =
                    assertThrows(HypervisorException.class, () -> rig.run(0, p.base()));
            assertTrue(failure.getMessage().contains("taken away memory"), failure.getMessage());
            assertEquals(PAGE, bar.range().length());
        }
    }

    private MemoryLease map(long address) {
        try {
            return rig.memory.map(address, file, 0, PAGE, true);
        } catch (java.io.IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
