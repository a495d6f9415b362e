/** State that outlives a device's code: plain values, never classes of a bundle. */
@Export
@Version("1.0.0")
package org.backplane.device.state;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
