package org.backplane.itests.hotswap;

import static org.backplane.itests.CardMachine.MEMORY;
import static org.backplane.itests.CardMachine.VERSION;
import static org.backplane.itests.hotswap.HotSwapRig.CARD;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import javax.inject.Inject;
import org.backplane.itests.CardJar;
import org.backplane.itests.card.Behaviour;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.BundleContext;

/** A thousand versions of a card in one slot, beside and in place, leave nothing behind. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public final class LeakIT {
    private static final int FIRST = 100;
    private static final int LAST = 1_000;

    /** Every so many swaps one is an update in place. */
    private static final int IN_PLACE = 10;

    /** Pools lend a thread more or less at the time of the count. */
    private static final int THREADS = 3;

    /** Copies to come back to are made and deleted by a thread of their own. */
    private static final int JARS = 2;

    /** Another collection, poll or class file may be under way. */
    private static final int DESCRIPTORS = 2;

    /** What is slow to be compiled, or reached first after the first hundred; a card has eight. */
    private static final int CLASSES = 100;

    /**
     * Of heap, and of metaspace: 2 KiB a swap, for what the virtual machine tidies up when it likes
     * to. One bundle left in a list is 9 KiB of heap, one loader 50 KiB of metaspace.
     */
    private static final long BYTES = (LAST - FIRST) * 2048L;

    /** The least of so many looks: what is cleared by one collection is freed by a later one. */
    private static final int LOOKS = 5;

    /** Passes within the test, as it does in a machine. */
    private static final Map<String, Long> PROBATION = Map.of("bound.probation", 500L);

    @Inject private BundleContext context;
    private HotSwapRig rig;

    @Configuration
    public Option[] framework() throws Exception {
        return HotSwapRig.framework();
    }

    /** What the process holds. */
    private record Footprint(
            int threads,
            long descriptors,
            long heap,
            long metaspace,
            int classes,
            int bundles,
            long jars) {}

    private Footprint footprint() throws IOException {
        return new Footprint(
                ManagementFactory.getThreadMXBean().getThreadCount(),
                count(Path.of("/proc/self/fd")),
                heap(),
                ManagementFactory.getMemoryPoolMXBeans().stream()
                        .filter(pool -> pool.getName().equals("Metaspace"))
                        .mapToLong(LeakIT::used)
                        .sum(),
                ManagementFactory.getClassLoadingMXBean().getLoadedClassCount(),
                context.getBundles().length,
                count(rig.store()));
    }

    private static long heap() {
        long least = Long.MAX_VALUE;
        for (int look = 0; look < LOOKS; look++) {
            System.gc();
            least =
                    Math.min(
                            least,
                            ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
        }
        return least;
    }

    private static long used(MemoryPoolMXBean pool) {
        return pool.getUsage().getUsed();
    }

    private static long count(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.count();
        }
    }

    @Test
    public void thousandSwapsLeaveNothingBehind() throws Exception {
        try (var made = new HotSwapRig(context, PROBATION)) {
            rig = made;
            rig.plugCard(Behaviour.GOOD);
            rig.store(MEMORY, 5);
            swap(0, FIRST);
            Footprint first = settled();
            swap(FIRST, LAST);
            Footprint last = settled();
            String both = "%s%n%s".formatted(first, last);
            System.out.println("LeakIT: after %d and %d swaps:%n%s".formatted(FIRST, LAST, both));
            assertEquals(5, rig.load(MEMORY));
            assertEquals(both, first.bundles, last.bundles);
            assertTrue(both, last.jars - first.jars <= JARS);
            assertTrue(both, last.threads - first.threads <= THREADS);
            assertTrue(both, last.descriptors - first.descriptors <= DESCRIPTORS);
            assertTrue(both, last.classes - first.classes <= CLASSES);
            assertTrue(both, last.heap - first.heap <= BYTES);
            assertTrue(both, last.metaspace - first.metaspace <= BYTES);
        }
    }

    private void swap(int from, int to) throws Exception {
        for (int swap = from; swap < to; swap++) {
            int version = 1 + (swap + 1) % 2;
            Path jar = CardJar.build(Behaviour.GOOD, version, swap);
            if (swap % IN_PLACE == IN_PLACE - 1) {
                HotSwapRig.update(context.getBundle(rig.slot(CARD).bundleId()), jar);
                rig.waitUntil(() -> rig.slot(CARD).version().equals(version + ".0.0"));
            } else {
                rig.machine().swap(CARD, jar.toString(), false);
            }
            Files.delete(jar);
            assertEquals(version, rig.load(VERSION));
        }
    }

    /** When what is replaced has gone. */
    private Footprint settled() throws Exception {
        rig.waitUntil(() -> rig.cards().size() == 1);
        rig.waitUntil(
                () -> {
                    System.gc();
                    return rig.machine().stillLoaded().isEmpty();
                });
        return footprint();
    }
}
