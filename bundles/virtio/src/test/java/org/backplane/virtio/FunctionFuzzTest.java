package org.backplane.virtio;

import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.backplane.testkit.DriverRing;
import org.backplane.testkit.TestMemory;
import org.backplane.testkit.VirtioDriver;
import org.backplane.testkit.VirtioDriver.Common;

/** Random accesses to everything a guest can reach, with rings that are random too. */
class FunctionFuzzTest {
    private static final int[] WIDTHS = {1, 2, 4, 8};

    @Property(tries = 400)
    void neverThrowsWhateverTheGuestDoes(@ForAll long seed) throws Exception {
        Random random = new Random(seed);
        try (FunctionRig rig = new FunctionRig()) {
            List<DescriptorChain> out = new ArrayList<>();
            List<SplitQueue> of = new ArrayList<>();
            for (int step = 0; step < 300; step++) {
                if (random.nextInt(3) > 0) {
                    guest(rig, random);
                } else {
                    slot(rig, random, out, of);
                }
            }
            rig.function.reset();
            assertTrue(rig.bound.isEmpty());
            assertTrue(rig.memory.guestMemory().pinned().isEmpty());
            rig.bringUp();
            assertTrue(rig.function.active(), "a reset helps, whatever there was before");
        }
    }

    /** Two processors, a worker and the control thread at once. */
    @Property(tries = 40)
    void neverThrowsWhateverSeveralProcessorsDoAtOnce(@ForAll long seed) throws Exception {
        try (FunctionRig rig = new FunctionRig()) {
            AtomicReference<Throwable> thrown = new AtomicReference<>();
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                Random random = new Random(seed + i);
                threads.add(repeating(2000, thrown, () -> guest(rig, random)));
            }
            Random random = new Random(seed ^ -1);
            List<DescriptorChain> out = new ArrayList<>();
            List<SplitQueue> of = new ArrayList<>();
            threads.add(repeating(2000, thrown, () -> slot(rig, random, out, of)));
            threads.forEach(Thread::start);
            for (Thread thread : threads) {
                thread.join();
            }
            assertNull(thrown.get());
            rig.function.reset();
            assertTrue(rig.bound.isEmpty());
            assertTrue(rig.memory.guestMemory().pinned().isEmpty());
        }
    }

    static Thread repeating(int times, AtomicReference<Throwable> thrown, Runnable step) {
        return new Thread(
                () -> {
                    try {
                        for (int i = 0; i < times && thrown.get() == null; i++) {
                            step.run();
                        }
                    } catch (Throwable e) {
                        thrown.compareAndSet(null, e);
                    }
                });
    }

    static void guest(FunctionRig rig, Random random) {
        VirtioDriver driver = rig.driver;
        DriverRing ring = rig.rings.get(random.nextInt(rig.rings.size()));
        int width = WIDTHS[random.nextInt(4)];
        switch (random.nextInt(14)) {
            case 0 -> driver.read(VirtioDriver.COMMON, random.nextInt(0x40) & -width, width);
            case 1 ->
                    driver.write(
                            VirtioDriver.COMMON,
                            random.nextInt(0x40) & -width,
                            width,
                            random.nextLong());
            case 2 -> {
                Common field = Common.values()[random.nextInt(Common.values().length)];
                driver.set(field, random.nextInt(4) == 0 ? random.nextLong() : random.nextInt(18));
            }
            case 3 -> driver.negotiate(VirtioDriver.VERSION_1 | random.nextInt(8));
            case 4 -> driver.negotiate(FunctionRig.ALL);
            case 5, 6 -> driver.enableQueue(random.nextInt(3), ring, random.nextInt(4));
            case 7 -> driver.ready();
            case 8 -> driver.set(Common.DEVICE_STATUS, random.nextInt(256));
            case 9 -> {
                int capability = driver.structure(VirtioDriver.PCI_CFG).capability();
                int narrow = Math.min(width, 4);
                driver.setConfig(
                        capability + (random.nextInt(20) & -narrow), narrow, random.nextInt());
                driver.windowRead(random.nextInt(3), random.nextInt(0x4010), narrow);
                driver.windowWrite(0, random.nextInt(0x4000), narrow, random.nextInt());
            }
            case 10 ->
                    driver.write(
                            1 + random.nextInt(4),
                            random.nextInt(0x1000) & -width,
                            width,
                            random.nextLong());
            case 11 -> driver.read(1 + random.nextInt(4), random.nextInt(0x1000) & -width, width);
            case 12 -> driver.setConfig(0x04, 2, random.nextInt(3) == 0 ? random.nextInt() : 6);
            default -> {
                byte[] bytes = new byte[1 + random.nextInt(8)];
                random.nextBytes(bytes);
                long at = ring.descriptors() + random.nextInt(16 * ring.size());
                rig.memory.write(at, bytes);
                ring.pokeDescriptor(
                        random.nextInt(ring.size()),
                        TestMemory.BASE + random.nextInt(1 << 20),
                        random.nextInt(4096),
                        random.nextInt(4),
                        random.nextInt(ring.size()));
                ring.offer(random.nextInt(ring.size()));
            }
        }
    }

    static void slot(
            FunctionRig rig, Random random, List<DescriptorChain> out, List<SplitQueue> of) {
        switch (random.nextInt(8)) {
            case 0 -> {
                if ((rig.function.status() != 0 && !rig.function.active())
                        || random.nextInt(8) == 0) {
                    rig.function.resetDone();
                    out.clear();
                    of.clear();
                }
            }
            case 1 -> rig.function.save();
            case 2 -> rig.function.configurationChanged();
            case 3 -> rig.function.presentAgain();
            case 4 -> {
                if (!out.isEmpty()) {
                    int which = random.nextInt(out.size());
                    of.get(which).complete(out.remove(which), 0);
                    of.remove(which).interrupt();
                }
            }
            default -> {
                List<SplitQueue> queues = rig.function.queues();
                SplitQueue queue = queues.get(random.nextInt(queues.size()));
                DescriptorChain chain = queue == null ? null : queue.poll();
                if (chain != null) {
                    out.add(chain);
                    of.add(queue);
                }
            }
        }
    }
}
