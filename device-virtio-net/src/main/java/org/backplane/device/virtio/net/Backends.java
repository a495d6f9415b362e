package org.backplane.device.virtio.net;

import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext;

/** Makes the host's end that the settings ask for: a line for each kind. */
final class Backends {
    private Backends() {}

    static Backend of(DeviceContext context, NetSettings settings) throws DeviceException {
        return switch (settings.backend()) {
            case TAP -> new TapBackend(context, settings);
            case NONE -> new NoBackend();
        };
    }
}
