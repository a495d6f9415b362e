/** The shell as whoever owns a terminal sees it: the console, the shell's socket, a login. */
@Export
@Version("1.0.0")
package org.backplane.machine.terminal;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
