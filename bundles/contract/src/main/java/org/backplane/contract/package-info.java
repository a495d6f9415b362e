/**
 * What every device has to keep to, judged without a guest: the life of a device, its saved state,
 * its registers and queues, and how it takes a host or a driver that fails.
 *
 * <p>A {@link org.backplane.contract.Contract} is made of clauses. They are run by whoever likes:
 * by JUnit ({@code org.backplane.contract.junit}), or in a framework with the jar of a device.
 */
@Export
@Version("1.0.0")
package org.backplane.contract;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
