/**
 * PCI devices in another process, over a Unix socket: the vfio-user protocol, version 0.1 (QEMU's
 * docs/interop/vfio-user.rst), both ends of it.
 *
 * <p>{@link org.backplane.vfio.user.VfioUserDevice} is the client, and has no thread. {@link
 * org.backplane.vfio.user.VfioUserServer} puts a {@link org.backplane.vfio.user.ServedDevice} at
 * the other end, on a thread of its own. Neither trusts the other: a peer that breaks the protocol,
 * or is silent for too long, is let go.
 */
@Export
@Version("1.0.0")
package org.backplane.vfio.user;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
