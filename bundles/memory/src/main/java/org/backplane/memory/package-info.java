/** Guest memory: one shared memfd, immutable layouts, and memory ordering in the method names. */
@Export
@Version("1.0.0")
package org.backplane.memory;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
