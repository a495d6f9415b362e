package org.backplane.itests.card;

import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.DeviceFactory;
import org.backplane.device.context.DeviceContext;

/** Makes cards of one behaviour. */
final class CardFactory implements DeviceFactory {
    private final Behaviour behaviour;
    private final int version;

    CardFactory(Behaviour behaviour, int version) {
        this.behaviour = behaviour;
        this.version = version;
    }

    @Override
    public Device create(DeviceContext context) throws DeviceException {
        return Card.in(context, behaviour, version);
    }
}
