/**
 * PCI functions as the guest sees them: configuration space, base address registers, MSI-X, the
 * host bridge.
 */
@Export
@Version("1.0.0")
package org.backplane.pci;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
