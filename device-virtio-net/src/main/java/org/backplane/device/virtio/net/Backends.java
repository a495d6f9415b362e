package org.backplane.device.virtio.net;

import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext;

/** Makes the host's end that the settings ask for: a line for each kind. */
final class Backends {
    private Backends() {}

    static Backend of(DeviceContext context, NetSettings settings) throws DeviceException {
        return switch (settings.backend()) {
            case USER -> UserNetwork.of(context, settings);
            case TAP -> new TapBackend(context, settings);
            case SOCKET -> SocketNetwork.of(context, settings);
            case NONE -> new NoBackend();
        };
    }
}
