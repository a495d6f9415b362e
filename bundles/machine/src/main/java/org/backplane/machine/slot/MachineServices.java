package org.backplane.machine.slot;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.backplane.device.context.DeviceContext;
import org.backplane.machine.console.Consoles;
import org.backplane.machine.slot.Factories.Offer;

/**
 * What the machine offers to every slot.
 *
 * @param machine its name
 * @param shared what slots keep together
 * @param power takes what a device asks of the machine; only posts it
 * @param exit takes the status that a device ends the process with; only posts it
 * @param guestStarted whether a guest has been started: what is plugged later is hot
 * @param deviceThreads lends threads for calls into devices
 * @param later runs what only posts
 */
public record MachineServices(
        String machine,
        Consoles consoles,
        SharedResources shared,
        Consumer<DeviceContext.PowerRequest> power,
        IntConsumer exit,
        BooleanSupplier guestStarted,
        Bounds bounds,
        ExecutorService deviceThreads,
        ScheduledExecutorService later,
        CodeKeeper code) {

    /** Who installs and removes device code; each only posts. */
    public interface CodeKeeper {
        /** An offer was withdrawn, and no slot runs its code any more. */
        void withdrawn(Offer offer);

        /** A slot neither runs the code nor can come back to it any more. */
        void unused(Factories.Code code);

        /**
         * As {@link #unused}, of code that failed: it goes though its jar is where jars come from.
         */
        void failed(Factories.Code code);

        /** A slot waits for code that was taken away: its copy is to be installed and started. */
        void comeBack(Factories.Code gone);
    }
}
