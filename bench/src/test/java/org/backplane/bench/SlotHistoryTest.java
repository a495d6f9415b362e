package org.backplane.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.LocalTime;
import java.util.List;
import org.junit.jupiter.api.Test;

class SlotHistoryTest {
    private static final String LISTING =
            """
            TIME          STEP         TOOK
            10:00:00.100  create       7.5 ms    org.backplane.device.virtio.blk 1.0.1 [21]
            10:00:00.102  quiesce      180 us
            10:00:00.104  open         1.9 ms    pause from gate closed to open
            10:00:00.105  rolled back  1.002 s   it hangs
            10:00:01.000  vacant       291 us    org.backplane.device.virtio.blk
            10:00:01.030  create       2.0 ms    org.backplane.device.virtio.blk 1.0.2 [21]
            10:00:01.040  open         12 us
            10:00:02.000  reset        -
            """;
    private final SlotHistory history = SlotHistory.parsed(LISTING);

    @Test
    void everyStepIsRead() {
        assertEquals(8, history.entries().size());
        SlotHistory.Entry rolledBack = history.entries().get(3);
        assertEquals(LocalTime.of(10, 0, 0, 105_000_000), rolledBack.at());
        assertEquals("rolled back", rolledBack.step());
        assertEquals(Duration.ofMillis(1002), rolledBack.took());
        assertEquals("it hangs", rolledBack.detail());
        assertEquals(Duration.ZERO, history.entries().get(7).took());
    }

    @Test
    void aPauseIsToldOrLiesBetweenVacantAndOpen() {
        assertEquals(
                List.of(Duration.ofNanos(1_900_000), Duration.ofNanos(40_291_000)),
                history.pauses());
    }

    @Test
    void whatWasBeforeIsLeftOut() {
        SlotHistory later = history.since(LocalTime.of(10, 0, 1, 40_000_000));
        assertEquals(2, later.entries().size());
        assertTrue(later.entries().get(0).opens());
    }
}
