/**
 * PCI devices described by data, behind a vfio-user socket: what a monitor can be tested with that
 * has no such hardware. {@link org.backplane.testkit.vfio.DeviceDescription} says what a device is
 * and {@link org.backplane.testkit.vfio.DescribedDevice} is one; {@link
 * org.backplane.testkit.vfio.DescribedDevices} has some, and {@link
 * org.backplane.testkit.vfio.ServeDescribed} serves one of those from the command line.
 */
@Export
@Version("1.0.0")
package org.backplane.testkit.vfio;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
