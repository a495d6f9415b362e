/**
 * The machine's commands in Gogo, scope {@code vm}, and the socket they are reached by. Commands
 * return the machine's records; how they look is decided here and nowhere else.
 */
package org.backplane.shell;
