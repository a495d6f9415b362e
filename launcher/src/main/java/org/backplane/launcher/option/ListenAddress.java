package org.backplane.launcher.option;

/**
 * Where a server listens.
 *
 * @param host a name or a numeric address of this host, IPv6 without brackets
 * @param port 0 for any that is free
 * @param loopback whether only this host reaches it
 */
public record ListenAddress(String host, int port, boolean loopback) {}
