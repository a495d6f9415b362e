package org.backplane.machine;

import java.time.Duration;

/**
 * A swap that was made.
 *
 * @param slot after it
 * @param pause from closing the gate to opening it; zero for a slot that was empty or failed
 * @param drained requests that were under way when the old device was asked to rest
 * @param stateSize what the old device handed over, in bytes
 */
public record SwapReport(SlotReport slot, Duration pause, int drained, long stateSize) {}
