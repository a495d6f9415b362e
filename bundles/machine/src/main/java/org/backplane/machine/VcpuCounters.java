package org.backplane.machine;

/**
 * What was counted of a processor since the machine was made.
 *
 * @param instructions of the guest that it completed, those before a snapshot included; 0 where the
 *     engine cannot count them
 * @param exits accesses that left the processor for the machine's bus, and calls for power-off and
 *     reboot. What the engine answers itself is none: interrupt controllers, timers, doorbells
 */
public record VcpuCounters(int index, long instructions, long exits) {}
