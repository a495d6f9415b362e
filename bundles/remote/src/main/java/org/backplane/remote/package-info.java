/**
 * A login to the machine's shell by SSH, with Apache MINA SSHD. Whoever holds one of the keys may
 * do to the machine what its operator may; there is nothing else to be had: no host shell, no file
 * transfer, no forwarding.
 */
package org.backplane.remote;
