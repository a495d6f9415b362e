package org.backplane.device.vfio;

import java.io.IOException;
import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext;
import org.backplane.linux.EventFd;
import org.backplane.linux.LinuxException;
import org.backplane.linux.OpenFileLimit;

/**
 * The slot's eventfds, made when they are first needed and there for the next version of the code:
 * what is signalled while it takes over is in them. Used under the lock of its owner.
 */
final class Events {
    /** Descriptors that the limit is asked for at once: each look counts all that are open. */
    private static final int BATCH = 64;

    private final DeviceContext context;

    /** How many more can be made before the limit is looked at again. */
    private int room;

    Events(DeviceContext context) {
        this.context = context;
    }

    EventFd vector(int vector) throws DeviceException {
        return of("vector " + vector);
    }

    /** The eventfd of that name. */
    EventFd of(String name) throws DeviceException {
        return context.kept(name, EventFd.class, () -> made(name));
    }

    private EventFd made(String name) throws DeviceException {
        try {
            if (room == 0) {
                OpenFileLimit.require(BATCH, "The device's interrupt '" + name + "'");
                room = BATCH;
            }
            room--;
            return EventFd.open();
        } catch (LinuxException e) {
            throw new DeviceException(e.getMessage() + ".", e);
        } catch (IOException e) {
            throw new DeviceException(e.getMessage(), e);
        }
    }
}
