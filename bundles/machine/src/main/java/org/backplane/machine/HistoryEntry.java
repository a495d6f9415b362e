package org.backplane.machine;

import java.time.Duration;
import java.time.Instant;

/**
 * A step in the life of a slot.
 *
 * @param step what was done: {@code quiesce}, {@code save}, {@code create}, {@code open}, ...
 * @param took how long
 * @param detail version, size, reason, or empty
 */
public record HistoryEntry(Instant at, String step, Duration took, String detail) {}
