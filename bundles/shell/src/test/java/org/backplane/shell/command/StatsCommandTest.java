package org.backplane.shell.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.backplane.machine.MachineCounters;
import org.backplane.machine.SlotCounters;
import org.backplane.machine.VcpuCounters;
import org.backplane.shell.RecordedMachine;
import org.backplane.shell.format.Json;
import org.junit.jupiter.api.Test;

class StatsCommandTest {
    private final Deque<MachineCounters> readings = new ArrayDeque<>();
    private final Command stats =
            new StatsCommand(new CurrentMachine(CountingMachine::new)).all().get(0);
    private final WatchedScreen screen = new WatchedScreen();

    private final class CountingMachine extends RecordedMachine {
        @Override
        public MachineCounters counters() {
            return readings.size() > 1 ? readings.poll() : readings.peek();
        }
    }

    /** A terminal on which a key is pressed after a number of drawings. */
    private static final class WatchedScreen implements Screen {
        final List<String> drawn = new ArrayList<>();
        int before = 2;

        @Override
        public int columns() {
            return 80;
        }

        @Override
        public int rows() {
            return 24;
        }

        @Override
        public boolean colours() {
            return false;
        }

        @Override
        public boolean isTerminal() {
            return true;
        }

        @Override
        public boolean redraws() {
            return true;
        }

        @Override
        public void redraw(String text) {
            drawn.add(text);
        }

        @Override
        public boolean keyWithin(Duration time) {
            return drawn.size() == before;
        }

        @Override
        public void pause(Duration time) {
            assertEquals(Duration.ofSeconds(1), time);
        }
    }

    /** A reading after half-seconds, with so much of everything. */
    private static MachineCounters reading(int halves, long counted) {
        return new MachineCounters(
                halves * 500_000_000L,
                List.of(
                        new SlotCounters(
                                "disk0",
                                counted,
                                counted,
                                counted,
                                counted,
                                counted,
                                counted << 10,
                                counted << 20,
                                0)),
                List.of(new VcpuCounters(0, counted * 1_000_000, counted)));
    }

    private Object run(String... words) throws Exception {
        return stats.run(new Call(stats.read(List.of(words)), screen, Optional.empty(), null));
    }

    @Test
    void tellsRatesOfTheTimeThatPassed() throws Exception {
        readings.add(reading(0, 100));
        readings.add(reading(1, 110));
        assertEquals(
                """
                PER SECOND  EXITS  DOORBELLS  INTERRUPTS  REQUESTS  FROM GUEST  TO GUEST  MISTAKES
                disk0       40     20         20          20        20 KiB      20 MiB    0
                PROCESSOR  EXITS  INSTRUCTIONS
                0          20     20.0 M""",
                run().toString());
    }

    @Test
    void aSlotThatCameMeanwhileCountsFromZero() throws Exception {
        readings.add(new MachineCounters(0, List.of(), List.of()));
        readings.add(reading(2, 5));
        assertTrue(run().toString().contains("\ndisk0       10     5.0 "), run().toString());
    }

    @Test
    void aSlotThatBeganAnewHasNoRateBelowZero() throws Exception {
        readings.add(reading(0, 100));
        readings.add(reading(2, 5));
        assertTrue(run().toString().contains("\ndisk0       0      0 "));
    }

    @Test
    void totalsNeedOneReading() throws Exception {
        readings.add(reading(0, 3));
        assertEquals(
                """
                TOTAL  EXITS  DOORBELLS  INTERRUPTS  REQUESTS  FROM GUEST  TO GUEST  MISTAKES
                disk0  6      3          3           3         3 KiB       3 MiB     0
                PROCESSOR  EXITS  INSTRUCTIONS
                0          3      3000000""",
                run("--total").toString());
    }

    @Test
    void watchingDrawsEachIntervalsRatesUntilAKey() throws Exception {
        readings.add(reading(0, 0));
        readings.add(reading(2, 10));
        readings.add(reading(4, 30));
        assertNull(run("--watch"));
        assertEquals(2, screen.drawn.size());
        assertTrue(screen.drawn.get(0).contains("\ndisk0       20     10 "));
        assertTrue(screen.drawn.get(1).contains("\ndisk0       40     20 "));
    }

    @Test
    void aProgramGetsOneObject() throws Exception {
        readings.add(reading(0, 0));
        readings.add(reading(2, 10));
        String json = Json.of(run("--watch", "--json")).text();
        assertTrue(
                json.startsWith("{\"seconds\":1.0,\"slots\":[{\"slot\":\"disk0\",\"total\":{"),
                json);
        assertTrue(json.contains("\"perSecond\":{\"exits\":20.0,"), json);
        assertFalse(json.contains("\n"));
        assertEquals(List.of(), screen.drawn);
    }
}
