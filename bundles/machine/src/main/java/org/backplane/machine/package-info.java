/** One virtual machine: its board, its slots, its processors. */
@Export
@Version("1.0.0")
package org.backplane.machine;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
