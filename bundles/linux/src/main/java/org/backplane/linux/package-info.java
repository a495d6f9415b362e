/**
 * The host's kernel interface: descriptors, events and mappings, each owned by one object. The only
 * native code.
 */
@Export
@Version("1.0.0")
package org.backplane.linux;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
