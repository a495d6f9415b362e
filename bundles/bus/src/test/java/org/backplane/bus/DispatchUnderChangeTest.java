package org.backplane.bus;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Processors go on reading while claims move under them. */
@Timeout(120)
class DispatchUnderChangeTest {
    private static final long BASE = 0x4000_0000;
    private static final int REGIONS = 8;
    private static final int SIZE = 0x100;
    private static final int MOVES = 5_000;

    private final Bus bus = new Bus();
    private final AddressAllocator window =
            bus.addWindow("mmio", Space.MMIO, new AddressRange(BASE, 4 * REGIONS * SIZE));

    /** Answers with its number and the offset, so that a wrong base shows. */
    private record Tagged(int number) implements IoHandler {
        @Override
        public long read(long offset, int width) {
            return (long) number << 32 | offset;
        }

        @Override
        public void write(long offset, int width, long value) {
            throw new AssertionError("nobody writes here");
        }
    }

    @Test
    void everyReadHitsOneRegionAtItsOffsetOrNothing() throws Exception {
        List<RegionLease> leases = new ArrayList<>();
        for (int i = 0; i < REGIONS; i++) {
            leases.add(bus.claim(window, "r" + i, SIZE, Placement.natural(SIZE), new Tagged(i)));
        }
        AtomicBoolean done = new AtomicBoolean();
        ExecutorService threads = Executors.newFixedThreadPool(3);
        try {
            List<Future<Long>> readers = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                readers.add(threads.submit(() -> readUntil(done)));
            }
            Future<?> mover = threads.submit(() -> moveAll(leases.subList(0, REGIONS / 2), 17));
            moveAll(leases.subList(REGIONS / 2, REGIONS), 29);
            mover.get();
            done.set(true);
            for (Future<Long> reader : readers) {
                assertTrue(reader.get() > 0);
            }
        } finally {
            done.set(true);
            threads.shutdown();
        }
        leases.forEach(RegionLease::close);
        assertEquals(List.of(window.range()), window.holes());
    }

    private long readUntil(AtomicBoolean done) {
        long hits = 0;
        long at = 0;
        while (!done.get() || hits == 0) {
            at = (at + 0x1b8) % window.range().size();
            long value = bus.read(Space.MMIO, BASE + at, 8);
            if (value != -1) {
                hits++;
                assertEquals(at % SIZE, value & 0xffff_ffffL);
                assertTrue(value >>> 32 < REGIONS);
            }
            if (hits == 0 && done.get()) {
                // Everything may have been elsewhere each time; the regions rest now.
                for (long base = 0; base < window.range().size(); base += SIZE) {
                    hits += bus.read(Space.MMIO, BASE + base, 8) == -1 ? 0 : 1;
                }
                assertTrue(hits > 0);
            }
        }
        return hits;
    }

    private void moveAll(List<RegionLease> leases, int stride) {
        int refused = 0;
        for (int i = 0; i < MOVES; i++) {
            RegionLease lease = leases.get(i % leases.size());
            long target = BASE + (long) (i * stride % (4 * REGIONS)) * SIZE;
            try {
                lease.moveTo(window, new Placement.Exact(target));
            } catch (ClaimException taken) {
                refused++;
            }
            lease.decode(i % 5 != 0);
        }
        assertTrue(refused < MOVES, "no move succeeded");
        leases.forEach(lease -> lease.decode(true));
    }
}
