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

    /** Vectors that the device has, for which there is no eventfd yet, as far as is known. */
    private int missing;

    /** How many more can be made before the limit is looked at again. */
    private int room;

    /**
     * @param vectors that the guest can have at most
     */
    Events(DeviceContext context, int vectors) {
        this.context = context;
        missing = vectors;
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
                makeRoom(name);
            }
            EventFd event = EventFd.open();
            room--;
            missing = Math.max(0, missing - 1);
            return event;
        } catch (LinuxException e) {
            throw new DeviceException(e.getMessage() + ".", e);
        } catch (IOException e) {
            throw new DeviceException(e.getMessage(), e);
        }
    }

    private void makeRoom(String name) throws IOException {
        int batch = Math.max(1, Math.min(BATCH, missing));
        String what = "The device's interrupt '%s' with those after it".formatted(name);
        try {
            OpenFileLimit.require(batch, what);
        } catch (LinuxException e) {
            throw e;
        } catch (IOException tooFew) {
            // Whoever raises the limit does it for all of them.
            OpenFileLimit.require(Math.max(batch, missing), what);
        }
        room = batch;
    }
}
