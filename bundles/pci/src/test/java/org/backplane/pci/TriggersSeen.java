package org.backplane.pci;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.backplane.linux.EventFd;

/** Stands for the machine's triggers: remembers what each eventfd's was told last. */
final class TriggersSeen implements VectorTriggers {
    private final Map<EventFd, String> last = new HashMap<>();
    private final Map<EventFd, Runnable> signalled = new HashMap<>();
    final List<String> told = new ArrayList<>();

    @Override
    public Trigger open(EventFd event, Runnable raises) {
        last.put(event, "hold");
        signalled.put(event, raises);
        return new Trigger() {
            @Override
            public void deliver(long address, int data) {
                now("deliver %x=%x".formatted(address, data));
            }

            @Override
            public void report() {
                now("report");
            }

            @Override
            public void hold() {
                now("hold");
            }

            @Override
            public void close() {
                now("close");
            }

            private void now(String what) {
                last.put(event, what);
                told.add(what);
            }
        };
    }

    String of(EventFd event) {
        return last.get(event);
    }

    /** The eventfd was signalled while its trigger reports. */
    void signal(EventFd event) {
        signalled.get(event).run();
    }
}
