package org.backplane.chipset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.backplane.device.DeviceException;
import org.backplane.device.DeviceFactory;
import org.backplane.testkit.RecordedLine;

/**
 * Whatever a guest does to a chip, at every place in every width, the chip answers; and one that is
 * swapped at every turn cannot be told from one that never is.
 */
class ChipPropertyTest {
    private static final Map<String, DeviceFactory> KINDS =
            Map.of(
                    Ns16550aFactory.KIND, new Ns16550aFactory(),
                    GoldfishRtcFactory.KIND, new GoldfishRtcFactory(),
                    PowerSwitchFactory.KIND, new PowerSwitchFactory(),
                    CmosRtcFactory.KIND, new CmosRtcFactory(),
                    KeyboardControllerFactory.KIND, new KeyboardControllerFactory(),
                    PowerManagementFactory.KIND, new PowerManagementFactory(),
                    DebugExitFactory.KIND, new DebugExitFactory());

    private static final int[] WIDTHS = {1, 2, 4, 8};

    /**
     * What a guest, or the time, does next.
     *
     * @param passing how much time goes by before it, in nanoseconds
     */
    record Turn(boolean writes, int place, int width, long value, long passing) {}

    @Provide
    Arbitrary<String> kinds() {
        return Arbitraries.of(KINDS.keySet());
    }

    @Provide
    Arbitrary<List<Turn>> turns() {
        Arbitrary<Long> values =
                Arbitraries.oneOf(
                        Arbitraries.longs(),
                        Arbitraries.longs().between(0, 255),
                        Arbitraries.integers().between(0, 63).map(bit -> 1L << bit));
        return Combinators.combine(
                        Arbitraries.of(true, false),
                        Arbitraries.integers().between(0, 1000),
                        Arbitraries.of(0, 0, 0, 1, 2, 3).map(i -> WIDTHS[i]),
                        values,
                        Arbitraries.of(
                                0L, 0L, 1L, 100_000L, 500_000_000L, 60_000_000_000L, 1L << 40))
                .as(Turn::new)
                .list()
                .ofMinSize(1)
                .ofMaxSize(60);
    }

    private static void pass(Chip chip, long nanoseconds) {
        chip.slot.setWallTime(chip.slot.wallTime().plusNanos(nanoseconds));
        chip.slot.advanceTo(chip.slot.guestTime() + nanoseconds);
    }

    /** Returns what was read, zero for a write. */
    private static long take(Chip chip, Turn turn) {
        int regions = chip.slot.regions().size();
        int region = turn.place % regions;
        long size = chip.slot.regions().get(region).range().size();
        int width = (int) Math.min(turn.width, Long.highestOneBit(size));
        long offset = turn.place / regions % (size - width + 1);
        if (turn.writes) {
            chip.write(region, offset, width, turn.value & -1L >>> Long.SIZE - Byte.SIZE * width);
            return 0;
        }
        return chip.read(region, offset, width) & -1L >>> Long.SIZE - Byte.SIZE * width;
    }

    private static List<Boolean> levels(Chip chip) {
        return chip.slot.lines().stream().map(RecordedLine::high).toList();
    }

    @Property(tries = 400)
    void aSwapAtEveryTurnIsNotSeen(@ForAll("kinds") String kind, @ForAll("turns") List<Turn> turns)
            throws DeviceException {
        Chip steady = Chip.started(KINDS.get(kind));
        Chip swapped = Chip.started(KINDS.get(kind));
        boolean stateless =
                steady.device().saveSupport()
                        instanceof org.backplane.device.state.SaveSupport.Stateless;
        for (Turn turn : turns) {
            pass(steady, turn.passing);
            pass(swapped, turn.passing);
            assertEquals(take(steady, turn), take(swapped, turn));
            if (stateless) {
                swapped.replaceStateless();
            } else {
                swapped.swap();
            }
            assertEquals(levels(steady), levels(swapped));
            assertEquals(steady.slot.powerRequests(), swapped.slot.powerRequests());
            assertEquals(steady.slot.exitStatuses(), swapped.slot.exitStatuses());
        }
        steady.device().reset();
        assertTrue(levels(steady).stream().noneMatch(high -> high), "a line is high after a reset");
        steady.slot.close();
        swapped.slot.close();
    }
}
