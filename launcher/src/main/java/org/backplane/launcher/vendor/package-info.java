/** A project for a device bundle, outside of this tree. */
package org.backplane.launcher.vendor;
