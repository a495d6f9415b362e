package org.backplane.pci;

/**
 * What has gone over a function since it was plugged; totals that never fall.
 *
 * @param reads accesses of processors that came to the bus: to BARs, MSI-X included, and to
 *     configuration space
 * @param writes as reads
 * @param interrupts MSI-X messages sent, and times the INTx pin rose; a request that finds its
 *     vector pending already, or is held back, is none
 * @param guestErrors mistakes of the guest: {@link PciFunction#guestErrors}
 */
public record FunctionTraffic(long reads, long writes, long interrupts, long guestErrors) {}
