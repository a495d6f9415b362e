package org.backplane.vfio.kernel;

import org.backplane.linux.Fd;

/**
 * A device that an interface of the kernel has opened.
 *
 * @param file the device's
 * @param assignable what KVM is told of: the group's file, or the device's own
 * @param release gives both back, and what nobody else uses with them
 */
record Opened(Fd file, Fd assignable, Runnable release) {}
