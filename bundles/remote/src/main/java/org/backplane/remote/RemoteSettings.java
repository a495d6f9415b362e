package org.backplane.remote;

import java.nio.file.Path;
import java.util.Optional;
import org.osgi.framework.BundleContext;

/**
 * What the launcher says of logins, in framework properties (docs/launcher.md).
 *
 * @param address to listen at, a name or a number
 * @param port 0 for any that is free
 * @param keys file of the public keys that are let in
 * @param hostKey file of the host's key, made if absent
 * @param told file to write the address and port to that is listened at
 */
record RemoteSettings(String address, int port, Path keys, Path hostKey, Path told) {
    private static final String PREFIX = "org.backplane.remote.";

    /** Empty if logins are not wanted. */
    static Optional<RemoteSettings> of(BundleContext context) {
        String port = context.getProperty(PREFIX + "port");
        if (port == null) {
            return Optional.empty();
        }
        return Optional.of(
                new RemoteSettings(
                        context.getProperty(PREFIX + "address"),
                        Integer.parseInt(port),
                        Path.of(context.getProperty(PREFIX + "keys")),
                        Path.of(context.getProperty(PREFIX + "host.key")),
                        Path.of(context.getProperty("org.backplane.run.folder"), "ssh")));
    }
}
