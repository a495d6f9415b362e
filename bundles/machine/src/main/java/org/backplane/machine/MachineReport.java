package org.backplane.machine;

import java.time.Duration;

/**
 * The machine at one moment.
 *
 * @param state {@code created}, {@code running}, {@code paused}, {@code stopped}
 * @param engine that runs the processors
 * @param memory in bytes
 * @param guestTime since it was made, without pauses
 * @param boots how often the guest was started in this process
 */
public record MachineReport(
        String name,
        String state,
        String engine,
        String board,
        int vcpus,
        long memory,
        Duration guestTime,
        long instructions,
        int boots) {}
