package org.backplane.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReportTest {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final Report report = new Report(new PrintStream(bytes, true));

    private String lastLine() {
        return bytes.toString().lines().reduce((earlier, later) -> later).orElse("");
    }

    @Test
    void limitsThatHeldAreCounted() {
        report.limit("pause", Samples.of(List.of(5_000_000L)), 50, 5_000_000);
        report.limit(true, "not told");
        assertTrue(report.verdict());
        assertEquals("all 2 limits held", lastLine());
    }

    @Test
    void theLimitThatDidNotHoldIsNamedWithItsValue() {
        report.limit("pause", Samples.of(List.of(1L, 5_100_000L)), 99, 5_000_000);
        report.limit(true, "not told");
        assertFalse(report.verdict());
        assertEquals(
                "1 of 2 limits NOT held: pause: p99 is 5.1 ms, the limit is 5.0 ms", lastLine());
    }

    @Test
    void missingValuesHoldNoLimit() {
        report.limit("pause", Samples.of(List.of()), 50, 1);
        assertFalse(report.verdict());
    }

    @Test
    void timesAreToldInTheUnitTheyReadBestIn() {
        assertEquals("999 us", Report.time(999_000));
        assertEquals("1.0 ms", Report.time(1_000_000));
        assertEquals("2.35 s", Report.time(2_345_678_901L));
    }
}
