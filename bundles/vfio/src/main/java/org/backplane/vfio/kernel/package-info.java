/** Devices of this host by the kernel's VFIO: groups, address spaces, drivers. */
@Export
@Version("1.0.0")
package org.backplane.vfio.kernel;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
