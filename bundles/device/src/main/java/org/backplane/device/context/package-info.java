/** What a slot hands to its device: leases and views, all revoked when the device goes. */
@Export
@Version("1.0.0")
package org.backplane.device.context;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
