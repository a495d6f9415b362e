/** The driver's side of a device, for tests without a guest. */
@Export
@Version("1.0.0")
package org.backplane.testkit;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
