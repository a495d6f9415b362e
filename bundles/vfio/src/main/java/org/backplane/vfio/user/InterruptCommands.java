package org.backplane.vfio.user;

import static org.backplane.vfio.user.CommandHandler.payload;
import static org.backplane.vfio.user.CommandHandler.payloadWithSize;
import static org.backplane.vfio.user.CommandHandler.require;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.backplane.linux.EventFd;
import org.backplane.linux.Fd;
import org.backplane.linux.LinuxException;
import org.backplane.vfio.IrqInfo;
import org.backplane.vfio.VfioDevice;

/**
 * A client's commands about interrupts. As in {@link CommandHandler}, everything in a message is
 * any value, and descriptors that are not taken over stay its sender's to close.
 */
final class InterruptCommands {
    /** What watches the eventfds that unmask. */
    interface Resamples {
        void watch(int irq, EventFd event) throws IOException;

        void forget(EventFd event);
    }

    private final ServedDevice device;
    private final ServedInterrupts interrupts;
    private final Resamples resamples;

    InterruptCommands(ServedDevice device, ServedInterrupts interrupts, Resamples resamples) {
        this.device = device;
        this.interrupts = interrupts;
        this.resamples = resamples;
    }

    /** The reply of {@code VFIO_USER_DEVICE_GET_IRQ_INFO}. */
    ByteBuffer info(Message message) throws RefusedException {
        ByteBuffer payload = payloadWithSize(message, Wire.IRQ_BYTES);
        IrqInfo kind = kind(payload.getInt(Wire.IRQ_INDEX));
        ByteBuffer reply = Message.payload(Wire.IRQ_BYTES);
        reply.putInt(Wire.ARGSZ, Wire.IRQ_BYTES);
        reply.putInt(
                Wire.IRQ_FLAGS,
                (kind.eventfd() ? Wire.IRQ_EVENTFD : 0)
                        | (kind.maskable() ? Wire.IRQ_MASKABLE : 0)
                        | (kind.automasked() ? Wire.IRQ_AUTOMASKED : 0)
                        | (kind.resizable() ? 0 : Wire.IRQ_NORESIZE));
        reply.putInt(Wire.IRQ_INDEX, kind.index());
        reply.putInt(Wire.IRQ_COUNT, kind.count());
        return reply;
    }

    private IrqInfo kind(int index) throws RefusedException {
        require(
                Integer.compareUnsigned(index, Wire.IRQS) < 0,
                Wire.EINVAL,
                "there is no interrupt %d",
                index);
        return interrupts.kind(index);
    }

    /** {@code VFIO_USER_DEVICE_SET_IRQS}. */
    void set(Message message) throws RefusedException, IOException {
        ByteBuffer payload = payload(message, Wire.SET_BYTES);
        IrqInfo kind = kind(payload.getInt(Wire.SET_INDEX));
        int flags = payload.getInt(Wire.SET_FLAGS);
        int start = payload.getInt(Wire.SET_START);
        int count = payload.getInt(Wire.SET_COUNT);
        int data = flags & Wire.SET_DATA_MASK;
        int action = flags & Wire.SET_ACTION_MASK;
        require(
                Integer.bitCount(data) == 1
                        && Integer.bitCount(action) == 1
                        && flags == (data | action),
                Wire.EINVAL,
                "interrupts are set with flags 0x%x",
                flags);
        require(
                data == Wire.SET_DATA_EVENTFD || message.descriptors().isEmpty(),
                Wire.EINVAL,
                "descriptors came where none have a meaning");
        if (count == 0) {
            require(
                    start == 0 && flags == (Wire.SET_DATA_NONE | Wire.SET_TRIGGER),
                    Wire.EINVAL,
                    "no interrupt of kind %d is meant, flags 0x%x",
                    kind.index(),
                    flags);
            disable(kind.index());
            return;
        }
        require(
                start >= 0 && count > 0 && count <= kind.count() - start,
                Wire.EINVAL,
                "interrupt %d has %d vectors, and %s from %s are meant",
                kind.index(),
                kind.count(),
                Integer.toUnsignedString(count),
                Integer.toUnsignedString(start));
        require(
                action == Wire.SET_TRIGGER || kind.maskable(),
                Wire.EINVAL,
                "interrupt %d cannot be masked",
                kind.index());
        if (data == Wire.SET_DATA_EVENTFD) {
            setEvents(kind.index(), action, start, count, message.descriptors());
        } else {
            require(
                    data == Wire.SET_DATA_NONE || payload.limit() - Wire.SET_BYTES >= count,
                    Wire.EINVAL,
                    "%d booleans came for %d vectors",
                    payload.limit() - Wire.SET_BYTES,
                    count);
            for (int i = 0; i < count; i++) {
                if (data == Wire.SET_DATA_NONE || payload.get(Wire.SET_BYTES + i) != 0) {
                    act(kind.index(), action, start + i);
                }
            }
        }
    }

    private void act(int irq, int action, int vector) {
        switch (action) {
            case Wire.SET_MASK -> interrupts.mask(irq, vector);
            case Wire.SET_UNMASK -> {
                if (irq == VfioDevice.INTX) {
                    device.interruptFinished();
                }
                interrupts.unmask(irq, vector);
            }
            default -> interrupts.signal(irq, vector);
        }
    }

    private void setEvents(int irq, int action, int start, int count, List<Fd> descriptors)
            throws RefusedException, IOException {
        require(
                descriptors.isEmpty() || descriptors.size() == count,
                Wire.EINVAL,
                "%d eventfds came for %d vectors",
                descriptors.size(),
                count);
        require(
                action != Wire.SET_MASK && (action == Wire.SET_TRIGGER || start == 0 && count == 1),
                Wire.EINVAL,
                "eventfds cannot mask, and can unmask vector 0 only");
        List<EventFd> events = adopt(descriptors);
        if (action == Wire.SET_TRIGGER) {
            for (int i = 0; i < count; i++) {
                interrupts.trigger(irq, start + i, events.isEmpty() ? null : events.get(i));
            }
            device.interruptsSet(irq);
            return;
        }
        resample(irq, events.isEmpty() ? null : events.get(0));
    }

    private static List<EventFd> adopt(List<Fd> descriptors) throws RefusedException {
        List<EventFd> events = new ArrayList<>();
        try {
            for (Fd descriptor : descriptors) {
                events.add(EventFd.adopt(descriptor));
            }
            return events;
        } catch (LinuxException e) {
            events.forEach(EventFd::close);
            throw new RefusedException(Wire.EINVAL, e.getMessage());
        }
    }

    private void resample(int irq, EventFd event) throws IOException {
        takeResample(irq);
        if (event == null) {
            return;
        }
        try {
            resamples.watch(irq, event);
        } catch (IOException e) {
            event.close();
            throw e;
        }
        interrupts.resample(irq, event);
    }

    private void takeResample(int irq) {
        Optional<EventFd> former = interrupts.resample(irq, null);
        if (former.isPresent()) {
            // One that is closed here would stay watched as long as the client has it open.
            resamples.forget(former.get());
            former.get().close();
        }
    }

    private void disable(int irq) {
        takeResample(irq);
        interrupts.disable(irq);
        device.interruptsSet(irq);
    }

    /** The client is gone. */
    void disableAll() {
        for (int i = 0; i < Wire.IRQS; i++) {
            disable(i);
        }
    }
}
