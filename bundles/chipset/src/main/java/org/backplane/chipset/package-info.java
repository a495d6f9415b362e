/**
 * The board's small devices: a serial port, a clock and a power switch. Devices like any other: the
 * bundle exports nothing and may be replaced while the guest runs.
 */
package org.backplane.chipset;
