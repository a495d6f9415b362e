/**
 * Address spaces: windows that are allocated, regions that are claimed, accesses that are
 * dispatched.
 */
@Export
@Version("1.0.0")
package org.backplane.bus;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
