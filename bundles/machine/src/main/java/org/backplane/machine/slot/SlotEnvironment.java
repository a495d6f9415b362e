package org.backplane.machine.slot;

import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.backplane.device.context.DeviceContext;
import org.backplane.machine.console.Consoles;

/** What a slot keeps and the machine offers, as one version of a device after the other sees it. */
record SlotEnvironment(
        String machine,
        SlotRegions regions,
        SlotLines lines,
        KeptResources kept,
        EventLoop events,
        Consoles consoles,
        Consumer<DeviceContext.PowerRequest> power,
        IntConsumer exit) {}
