package org.backplane.vfio.user;

import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.backplane.linux.EventFd;
import org.backplane.vfio.IrqInfo;
import org.backplane.vfio.VfioDevice;

/**
 * The interrupts of a served device as its client has set them ({@code VFIO_USER_DEVICE_SET_IRQS}):
 * an eventfd, a mask and what is pending, for each vector; and INTx's level, which masks itself
 * when it is told. Owns the eventfds. Thread-safe.
 */
final class ServedInterrupts {
    private static final System.Logger LOG = System.getLogger(ServedInterrupts.class.getName());

    private static final class Vector {
        private EventFd trigger;
        private boolean masked;
        private boolean pending;
    }

    private final IrqInfo[] kinds;
    private final Vector[][] vectors;

    /** Of vector 0 of each kind: what unmasks it. */
    private final EventFd[] resamples;

    private boolean asserted;

    /**
     * @param kinds by their index
     */
    ServedInterrupts(List<IrqInfo> kinds) {
        this.kinds = kinds.toArray(IrqInfo[]::new);
        vectors = new Vector[this.kinds.length][];
        resamples = new EventFd[this.kinds.length];
        for (int i = 0; i < vectors.length; i++) {
            vectors[i] = new Vector[this.kinds[i].count()];
            for (int j = 0; j < vectors[i].length; j++) {
                vectors[i][j] = new Vector();
            }
        }
    }

    IrqInfo kind(int irq) {
        return kinds[irq];
    }

    synchronized boolean signal(int irq, int vector) {
        return signal(vectors[irq][vector]);
    }

    private static boolean signal(Vector vector) {
        if (vector.masked) {
            vector.pending = true;
        } else if (vector.trigger != null) {
            vector.trigger.signal();
        }
        return vector.trigger != null;
    }

    synchronized boolean isSet(int irq, int vector) {
        return vectors[irq][vector].trigger != null;
    }

    synchronized void level(boolean level) {
        asserted = level;
        tellLevel();
    }

    /** Tells a level that was not told since it rose, or since it was unmasked. */
    private void tellLevel() {
        if (vectors[VfioDevice.INTX].length == 0) {
            return;
        }
        Vector line = vectors[VfioDevice.INTX][0];
        if (asserted && !line.masked && line.trigger != null) {
            line.masked = kinds[VfioDevice.INTX].automasked();
            line.trigger.signal();
        }
    }

    /** Has an eventfd signalled for a vector; null: none. The former one is closed. */
    synchronized void trigger(int irq, int vector, EventFd event) {
        Vector entry = vectors[irq][vector];
        if (entry.trigger != null) {
            entry.trigger.close();
        }
        entry.trigger = event;
        if (irq == VfioDevice.INTX) {
            tellLevel();
        }
    }

    synchronized void mask(int irq, int vector) {
        vectors[irq][vector].masked = true;
    }

    synchronized void unmask(int irq, int vector) {
        Vector entry = vectors[irq][vector];
        entry.masked = false;
        if (irq == VfioDevice.INTX) {
            tellLevel();
        } else if (entry.pending) {
            entry.pending = false;
            signal(entry);
        }
    }

    /**
     * Has an eventfd unmask a kind's vector 0; null: none.
     *
     * @return the former one, which is the caller's to close
     */
    synchronized Optional<EventFd> resample(int irq, EventFd event) {
        Optional<EventFd> former = Optional.ofNullable(resamples[irq]);
        resamples[irq] = event;
        return former;
    }

    /** The eventfd of {@link #resample} was signalled. */
    synchronized void resampled(int irq) {
        if (resamples[irq] != null) {
            LOG.log(Level.TRACE, "interrupt {0} is unmasked by its eventfd", irq);
            unmask(irq, 0);
        }
    }

    /** Switches a kind off, as it was at first, but for what {@link #resample} set. */
    synchronized void disable(int irq) {
        for (Vector entry : vectors[irq]) {
            if (entry.trigger != null) {
                entry.trigger.close();
            }
            entry.trigger = null;
            entry.masked = false;
            entry.pending = false;
        }
    }

    static List<IrqInfo> of(ServedDevice device) {
        List<IrqInfo> kinds = new ArrayList<>();
        for (int i = 0; i < Wire.IRQS; i++) {
            kinds.add(device.irq(i));
        }
        return kinds;
    }
}
