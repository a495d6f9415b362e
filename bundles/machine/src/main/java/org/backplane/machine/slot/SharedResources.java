package org.backplane.machine.slot;

import java.util.HashMap;
import java.util.Map;
import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext.Opener;

/** What several slots of a machine keep together. Thread-safe. */
public final class SharedResources {
    private final Map<String, Shared> shared = new HashMap<>();

    /** Open while a slot holds it; under the lock of all. */
    private static final class Shared {
        private final AutoCloseable resource;
        private int holders;

        Shared(AutoCloseable resource) {
            this.resource = resource;
        }
    }

    /** One slot's hold. */
    interface Hold extends AutoCloseable {
        AutoCloseable resource();
    }

    /** Opens the resource if no other slot holds it; closing the last hold closes it. */
    synchronized Hold take(String name, Opener<? extends AutoCloseable> opener)
            throws DeviceException {
        Shared there = shared.get(name);
        if (there == null) {
            there = new Shared(opener.open());
            shared.put(name, there);
        }
        there.holders++;
        return new SlotHold(name, there);
    }

    private final class SlotHold implements Hold {
        private final String name;
        private final Shared held;
        private boolean closed;

        SlotHold(String name, Shared held) {
            this.name = name;
            this.held = held;
        }

        @Override
        public AutoCloseable resource() {
            return held.resource;
        }

        @Override
        public void close() throws Exception {
            // Under the lock to the end: the next to ask must not find the resource half closed.
            synchronized (SharedResources.this) {
                if (!closed) {
                    closed = true;
                    if (--held.holders == 0) {
                        shared.remove(name);
                        held.resource.close();
                    }
                }
            }
        }
    }
}
