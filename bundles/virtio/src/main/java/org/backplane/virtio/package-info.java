/** Virtio 1.2 over PCI: split queues, descriptor chains and the virtio-pci function. */
@Export
@Version("1.0.0")
package org.backplane.virtio;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
