/** What the launcher asks of this bundle. */
package org.backplane.vfio.launch;
