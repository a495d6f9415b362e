package org.backplane.linux;

import java.net.Inet4Address;

/**
 * A port of the host that leads to one of the guest.
 *
 * @param hostAddress where the host listens; 0.0.0.0 everywhere
 * @param hostPort 1 to 65535
 * @param guestPort 1 to 65535
 */
public record HostForward(
        Protocol protocol,
        Inet4Address hostAddress,
        int hostPort,
        Inet4Address guestAddress,
        int guestPort) {
    /** What is forwarded. */
    public enum Protocol {
        TCP,
        UDP
    }

    public HostForward {
        requirePort(hostPort);
        requirePort(guestPort);
    }

    private static void requirePort(int port) {
        if (port < 1 || port > 65535) {
            throw new IllegalArgumentException("a port is 1 to 65535, not " + port);
        }
    }
}
