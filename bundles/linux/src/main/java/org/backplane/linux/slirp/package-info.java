/** libslirp as it is bound: functions, layouts and callbacks. */
package org.backplane.linux.slirp;
