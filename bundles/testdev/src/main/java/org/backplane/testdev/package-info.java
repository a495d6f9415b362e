/** The interface of QEMU's PCI test device (docs/specs/pci-testdev of QEMU). */
package org.backplane.testdev;
