/** What a device bundle implements. */
@Export
@Version("1.0.0")
package org.backplane.device;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
