/**
 * The boards' small devices: serial port, clocks, power, and those of a PC: keyboard controller,
 * ACPI's fixed hardware and a port for test programs. Devices like any other: the bundle exports
 * nothing and may be replaced while the guest runs.
 */
package org.backplane.chipset;
