package org.backplane.machine;

import java.time.Duration;

/**
 * How a slot was removed.
 *
 * @param slot its name
 * @param outcome half a sentence: whether the guest agreed, and where the device was
 * @param waited for the guest's consent; zero if it was not asked
 */
public record UnplugReport(String slot, String outcome, Duration waited) {}
