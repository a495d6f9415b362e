/** Devices that live elsewhere, as Linux's VFIO interface shows them, whatever the transport. */
@Export
@Version("1.0.0")
package org.backplane.vfio;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
