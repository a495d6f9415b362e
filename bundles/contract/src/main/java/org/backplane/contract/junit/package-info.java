/** The contract as tests of JUnit 5. */
@Export
@Version("1.0.0")
package org.backplane.contract.junit;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
