package org.backplane.device.vfio;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext;
import org.backplane.linux.EventFd;
import org.backplane.vfio.VfioDevice;
import org.backplane.vfio.VfioException;

/**
 * What the host has to say of the device: that it met an error, or that it is wanted back. Each is
 * told once.
 *
 * <p>A request is not withdrawn, so there is no second one to tell: the kernel signals again every
 * ten seconds until the device is closed, also when whoever asked has been interrupted, and takes
 * no other meanwhile (vfio_unregister_group_dev in Linux's drivers/vfio/vfio_main.c). Nor would the
 * eventfd tell two requests from a repeated one.
 */
final class HostNotices {
    private static final Logger LOG = System.getLogger(HostNotices.class.getName());

    private final DeviceContext context;
    private final VfioDevice device;
    private final Notice error;
    private final Notice request;

    private record Notice(int irq, EventFd event, String sentence, AtomicBoolean told) {}

    HostNotices(DeviceContext context, VfioDevice device, Events events) throws DeviceException {
        this.context = context;
        this.device = device;
        error =
                notice(
                        VfioDevice.ERROR,
                        events,
                        "host's error",
                        "met an error that it does not recover from: unplug it with 'vm:unplug --force %s', and plug it again");
        request =
                notice(
                        VfioDevice.REQUEST,
                        events,
                        "host's request",
                        "is wanted back by the host, which waits for it: give it back with 'vm:unplug %s'");
    }

    /** Null where the device has no such interrupt. */
    private Notice notice(int irq, Events events, String name, String clause)
            throws DeviceException {
        return device.irq(irq).count() == 0
                ? null
                : new Notice(
                        irq,
                        events.of(name),
                        device.name() + " " + clause.formatted(context.slot()),
                        new AtomicBoolean());
    }

    /**
     * @param arm whether the device has yet to be told of the eventfds
     */
    void start(boolean arm) throws DeviceException {
        if (arm) {
            try {
                arm();
            } catch (VfioException e) {
                throw new DeviceException(
                        "Slot '%s': %s".formatted(context.slot(), e.getMessage()), e);
            }
        }
        for (Notice notice : notices()) {
            context.onReadable(notice.event, () -> tell(notice));
        }
    }

    /** Tells the device of the eventfds. */
    void arm() throws VfioException {
        for (Notice notice : notices()) {
            device.trigger(notice.irq, 0, List.of(Optional.of(notice.event)));
        }
    }

    private List<Notice> notices() {
        return Stream.of(error, request).filter(Objects::nonNull).toList();
    }

    /** One line says it, however often it is signalled. */
    private void tell(Notice notice) {
        if (notice.event.drain() > 0 && !notice.told.getAndSet(true)) {
            LOG.log(Level.WARNING, () -> context.slot() + ": " + notice.sentence);
            context.tell("host", notice.sentence);
        }
    }
}
