/**
 * The virtio network device (virtio 1.2, section 5.1) on a tap interface, a user-mode network, a
 * socket, or nothing. Exports nothing; may be replaced while the guest runs.
 */
package org.backplane.device.virtio.net;
