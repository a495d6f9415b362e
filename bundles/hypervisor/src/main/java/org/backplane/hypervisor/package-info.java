/** What an engine that runs guest code offers, and what it asks of the machine. */
@Export
@Version("1.0.0")
package org.backplane.hypervisor;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
