package org.backplane.machine.slot;

import java.util.function.Consumer;
import org.backplane.device.context.DeviceContext;
import org.backplane.machine.console.Consoles;

/**
 * What the machine offers to every slot.
 *
 * @param power takes what a device asks of the machine; only posts it
 * @param withdrawn told of an offer whose code no slot runs any more
 */
public record MachineServices(
        Consoles consoles,
        Consumer<DeviceContext.PowerRequest> power,
        Consumer<Factories.Offer> withdrawn) {}
