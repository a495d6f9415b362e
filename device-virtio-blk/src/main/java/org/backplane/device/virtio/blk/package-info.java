/**
 * The virtio block device (virtio 1.2, section 5.2) on an image file or a block device of the host.
 * Exports nothing; may be replaced while the guest runs.
 */
package org.backplane.device.virtio.blk;
