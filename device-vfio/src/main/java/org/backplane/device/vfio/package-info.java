/**
 * Passing a PCI device through to the guest: one of the host, by the kernel's VFIO, or one of
 * another process, by vfio-user. What decides about the guest's view is here; how the device is
 * reached is the bundle {@code vfio}'s. Exports nothing; may be replaced while the guest runs.
 */
package org.backplane.device.vfio;
