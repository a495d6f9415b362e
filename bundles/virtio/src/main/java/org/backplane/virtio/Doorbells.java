package org.backplane.virtio;

import org.backplane.device.context.Lease;

/**
 * Keeps each enabled queue's doorbell bound to the address that the driver writes to (virtio 1.2,
 * section 4.1.4.4), wherever the BAR decodes now.
 *
 * <p>Base and enabled queues are wishes, set by any thread under the lock; binding and unbinding
 * are calls to the slot, hence go through {@link OrderedCalls}: there one thread at a time compares
 * the latest wish with what is bound. Until that has happened, and where an engine cannot bind, a
 * store to the address comes to the BAR's handler, which signals the same event.
 */
final class Doorbells {
    private static final long NOWHERE = -1;

    private final VirtioBackend backend;
    private final OrderedCalls calls;
    private final boolean[] enabled;
    private long base = NOWHERE;

    // Of the thread that makes the ordered calls.
    private final Lease[] bound;
    private final long[] boundAt;

    Doorbells(int queues, VirtioBackend backend, OrderedCalls calls) {
        this.backend = backend;
        this.calls = calls;
        this.enabled = new boolean[queues];
        this.bound = new Lease[queues];
        this.boundAt = new long[queues];
    }

    /** The BAR decodes at a base, or nowhere: -1. The caller makes the ordered calls. */
    synchronized void moved(long to) {
        base = to;
        for (int queue = 0; queue < enabled.length; queue++) {
            wish(queue);
        }
    }

    /** The caller makes the ordered calls. */
    synchronized void enable(int queue, boolean on) {
        if (enabled[queue] != on) {
            enabled[queue] = on;
            wish(queue);
        }
    }

    /** A store reached the BAR's handler. */
    void ring(int queue) {
        synchronized (this) {
            if (!enabled[queue]) {
                return;
            }
        }
        backend.doorbell(queue).signal();
    }

    private void wish(int queue) {
        calls.add(() -> bind(queue));
    }

    private synchronized long wanted(int queue) {
        return enabled[queue] && base != NOWHERE
                ? base
                        + VirtioPciLayout.NOTIFY_PAGE
                        + (long) VirtioPciLayout.NOTIFY_MULTIPLIER * queue
                : NOWHERE;
    }

    private void bind(int queue) {
        long address = wanted(queue);
        if (bound[queue] != null && boundAt[queue] != address) {
            bound[queue].close();
            bound[queue] = null;
        }
        if (bound[queue] == null && address != NOWHERE) {
            bound[queue] = backend.bindDoorbell(queue, address);
            boundAt[queue] = address;
        }
    }
}
