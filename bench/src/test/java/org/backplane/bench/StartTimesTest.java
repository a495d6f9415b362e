package org.backplane.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.List;
import org.junit.jupiter.api.Test;

class StartTimesTest {
    private static final long EPOCH =
            LocalDateTime.parse("2026-11-22T19:11:00.000")
                    .atZone(ZoneId.systemDefault())
                    .toInstant()
                    .toEpochMilli();

    private static List<String> log() {
        return List.of(
                "2026-11-22T19:11:00.130 INFO    org.backplane.launcher.MachineRun: process entered at %d ms"
                        .formatted(EPOCH + 70),
                "2026-11-22T19:11:00.131 INFO    org.backplane.launcher.MachineRun: Plan[name=t1]",
                "2026-11-22T19:11:00.250 INFO    org.backplane.linux.libc.Host: the C library was bound (12345 us)",
                "2026-11-22T19:11:00.300 INFO    org.backplane.launcher.framework.MachineFramework: the framework started: 17 bundles");
    }

    @Test
    void stagesAddUpToTheWhole() throws Exception {
        StartTimes times = StartTimes.of(EPOCH, 450_000_000, log());
        assertEquals(70_000_000, times.stages().get(StartTimes.Stage.JVM));
        assertEquals(61_000_000, times.stages().get(StartTimes.Stage.LAUNCHER));
        assertEquals(169_000_000, times.stages().get(StartTimes.Stage.FRAMEWORK));
        assertEquals(150_000_000, times.stages().get(StartTimes.Stage.VM));
        assertEquals(12_345_000, times.stages().get(StartTimes.Stage.NATIVE));
    }

    @Test
    void refusesALogThatDoesNotTell() {
        List<String> log = log().subList(0, 2);
        assertThrows(BenchException.class, () -> StartTimes.of(EPOCH, 1, log));
    }
}
