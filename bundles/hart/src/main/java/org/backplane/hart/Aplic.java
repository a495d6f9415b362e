package org.backplane.hart;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.function.IntPredicate;
import org.backplane.hypervisor.Vm;

/**
 * One supervisor-level interrupt domain of an APLIC in MSI delivery mode, without children (AIA
 * 1.0, chapter 4). Direct delivery, big-endian registers and the machine-level MSI address
 * configuration are not implemented: their bits and registers are read-only. The MSI addresses are
 * the board's, as machine-mode firmware would have left them: hart index n means interrupt file n.
 *
 * <p>Thread-safe. Messages leave under the lock, so that a source's messages and the one of genmsi
 * arrive in the order of their causes (AIA section 4.9.3).
 */
public final class Aplic {
    /**
     * Takes the messages, on the thread that caused one and in order. Has to be quick, not to
     * throw, and not to call back.
     */
    @FunctionalInterface
    public interface MsiSink {
        void deliver(int hart, int identity);
    }

    private static final int DOMAINCFG = 0x0000;
    private static final int SOURCECFG = 0x0004;
    private static final int SETIP = 0x1c00;
    private static final int SETIPNUM = 0x1cdc;
    private static final int IN_CLRIP = 0x1d00;
    private static final int CLRIPNUM = 0x1ddc;
    private static final int SETIE = 0x1e00;
    private static final int SETIENUM = 0x1edc;
    private static final int CLRIE = 0x1f00;
    private static final int CLRIENUM = 0x1fdc;
    private static final int SETIPNUM_LE = 0x2000;
    private static final int SETIPNUM_BE = 0x2004;
    private static final int GENMSI = 0x3000;
    private static final int TARGET = 0x3004;

    private static final int SOURCE_LIMIT = 1023;
    private static final int ARRAY_BYTES = 0x80;
    private static final int TABLE_BYTES = SOURCE_LIMIT * Integer.BYTES;

    private static final int DOMAINCFG_FIXED = 0x80000000;
    private static final int DOMAINCFG_IE = 1 << 8;
    private static final int DOMAINCFG_DM_MSI = 1 << 2;

    private static final int SOURCECFG_D = 1 << 10;
    static final int INACTIVE = 0;
    private static final int DETACHED = 1;
    private static final int EDGE1 = 4;
    static final int LEVEL1 = 6;
    private static final int MODE_MASK = 7;
    private static final int INVERTED = 1;

    private static final int HART_SHIFT = 18;
    private static final int IDENTITY_MASK = 0x7ff;

    /** Without the guest index: these harts have no hypervisor extension. */
    static final int TARGET_MASK = -1 << HART_SHIFT | IDENTITY_MASK;

    private final Object lock = new Object();
    private final int sources;
    private final int harts;
    private final MsiSink sink;

    private final int[] mode;
    private final int[] target;
    private final boolean[] wire;
    private final boolean[] pending;
    private final boolean[] enabled;
    private final List<List<Resample>> resamples = new ArrayList<>();
    private boolean interruptEnable;
    private int lastGenmsi;

    /**
     * @param sources highest source number, 1 to 1,023
     * @param harts number of interrupt files; messages to others are dropped
     */
    public Aplic(int sources, int harts, MsiSink sink) {
        if (sources < 1 || sources > SOURCE_LIMIT) {
            throw new IllegalArgumentException("an APLIC has 1 to 1023 sources, not " + sources);
        }
        this.sources = sources;
        this.harts = harts;
        this.sink = sink;
        mode = new int[sources + 1];
        target = new int[sources + 1];
        wire = new boolean[sources + 1];
        pending = new boolean[sources + 1];
        enabled = new boolean[sources + 1];
        for (int source = 0; source <= sources; source++) {
            resamples.add(List.of());
        }
    }

    /**
     * A load from the register block. Only aligned words exist; all else reads as zero.
     *
     * @param offset from the base, in bytes
     * @param width in bytes
     */
    public int read(int offset, int width) {
        if (!register(offset, width)) {
            return 0;
        }
        synchronized (lock) {
            if (offset == DOMAINCFG) {
                return DOMAINCFG_FIXED | DOMAINCFG_DM_MSI | (interruptEnable ? DOMAINCFG_IE : 0);
            }
            if (within(offset, SOURCECFG, TABLE_BYTES)) {
                int source = 1 + (offset - SOURCECFG) / Integer.BYTES;
                return source <= sources ? mode[source] : 0;
            }
            if (within(offset, SETIP, ARRAY_BYTES)) {
                return word(offset - SETIP, source -> pending[source]);
            }
            if (within(offset, IN_CLRIP, ARRAY_BYTES)) {
                return word(offset - IN_CLRIP, this::asserted);
            }
            if (within(offset, SETIE, ARRAY_BYTES)) {
                return word(offset - SETIE, source -> enabled[source]);
            }
            if (offset == GENMSI) {
                return lastGenmsi;
            }
            if (within(offset, TARGET, TABLE_BYTES)) {
                int source = 1 + (offset - TARGET) / Integer.BYTES;
                return source <= sources ? target[source] : 0;
            }
            return 0;
        }
    }

    /**
     * A store to the register block; all but aligned words is ignored.
     *
     * @param offset from the base, in bytes
     * @param width in bytes
     */
    public void write(int offset, int width, int value) {
        if (!register(offset, width)) {
            return;
        }
        if (within(offset, SETIP, ARRAY_BYTES)) {
            each(offset - SETIP, value, this::requestPending);
        } else if (offset == SETIPNUM || offset == SETIPNUM_LE) {
            requestPending(value);
        } else if (offset == SETIPNUM_BE) {
            requestPending(Integer.reverseBytes(value));
        } else {
            synchronized (lock) {
                writeLocked(offset, value);
            }
        }
    }

    private void writeLocked(int offset, int value) {
        if (offset == DOMAINCFG) {
            interruptEnable = (value & DOMAINCFG_IE) != 0;
            for (int source = 1; source <= sources; source++) {
                forward(source);
            }
        } else if (within(offset, SOURCECFG, TABLE_BYTES)) {
            configure(1 + (offset - SOURCECFG) / Integer.BYTES, value);
        } else if (within(offset, IN_CLRIP, ARRAY_BYTES)) {
            each(offset - IN_CLRIP, value, this::clearPending);
        } else if (offset == CLRIPNUM) {
            clearPending(value);
        } else if (within(offset, SETIE, ARRAY_BYTES)) {
            each(offset - SETIE, value, source -> enable(source, true));
        } else if (offset == SETIENUM) {
            enable(value, true);
        } else if (within(offset, CLRIE, ARRAY_BYTES)) {
            each(offset - CLRIE, value, source -> enable(source, false));
        } else if (offset == CLRIENUM) {
            enable(value, false);
        } else if (offset == GENMSI) {
            // Sent before the store completes: Busy never reads as one.
            lastGenmsi = value & TARGET_MASK;
            send(lastGenmsi);
        } else if (within(offset, TARGET, TABLE_BYTES)) {
            int source = 1 + (offset - TARGET) / Integer.BYTES;
            if (active(source)) {
                target[source] = value & TARGET_MASK;
            }
        }
    }

    /**
     * Sets the level of a source's wire, before sourcecfg's inversion. Unknown ones are ignored.
     */
    public void setLine(int source, boolean high) {
        if (source < 1 || source > sources) {
            return;
        }
        synchronized (lock) {
            boolean before = asserted(source);
            wire[source] = high;
            inputChanged(source, before);
        }
    }

    /**
     * Runs the listener each time the guest asks for a level source to be pending (setipnum or
     * setip): at the end of its handler it does so, to be told again of a line still high (AIA
     * section 4.9.2). The listener runs on the writing thread without a lock, before the input is
     * looked at: if it lowers the line, the source does not become pending. It must not throw.
     *
     * @return a lease; once closed, no new call begins
     */
    public Vm.Lease onResample(int source, Runnable listener) {
        if (source < 1 || source > sources) {
            throw new IllegalArgumentException(
                    "no source " + source + " at an APLIC of " + sources + " sources");
        }
        Resample resample = new Resample(source, listener);
        synchronized (lock) {
            List<Resample> more = new ArrayList<>(resamples.get(source));
            more.add(resample);
            resamples.set(source, List.copyOf(more));
        }
        return resample;
    }

    /** Registers as after reset. The wires keep their levels, the listeners stay. */
    public void reset() {
        synchronized (lock) {
            interruptEnable = false;
            lastGenmsi = 0;
            for (int source = 1; source <= sources; source++) {
                configure(source, INACTIVE);
            }
        }
    }

    AplicRecord save() {
        synchronized (lock) {
            return new AplicRecord(
                    interruptEnable,
                    lastGenmsi,
                    Arrays.copyOfRange(mode, 1, mode.length),
                    Arrays.copyOfRange(target, 1, target.length),
                    bits(wire),
                    bits(pending),
                    bits(enabled));
        }
    }

    /** Registers and wires; sends nothing. */
    void restore(AplicRecord saved) {
        synchronized (lock) {
            interruptEnable = saved.interruptEnable();
            lastGenmsi = saved.genmsi();
            for (int source = 1; source <= sources; source++) {
                mode[source] = saved.mode()[source - 1];
                target[source] = saved.target()[source - 1];
                wire[source] = saved.wires().get(source);
                pending[source] = saved.pending().get(source);
                enabled[source] = saved.enabled().get(source);
            }
        }
    }

    private void configure(int source, int value) {
        if (source > sources) {
            return;
        }
        boolean before = asserted(source);
        int wanted = (value & SOURCECFG_D) != 0 ? INACTIVE : value & MODE_MASK;
        mode[source] = isMode(wanted) ? wanted : INACTIVE;
        if (mode[source] == INACTIVE) {
            pending[source] = false;
            enabled[source] = false;
            target[source] = 0;
        } else if (level(source)) {
            inputChanged(source, before);
        }
    }

    /** The rules of AIA section 4.7 for a change of the rectified input value. */
    private void inputChanged(int source, boolean before) {
        boolean now = asserted(source);
        if (now && !before) {
            pending[source] = true;
            forward(source);
        } else if (!now && level(source)) {
            pending[source] = false;
        }
    }

    private void requestPending(int source) {
        List<Resample> ended;
        synchronized (lock) {
            if (!active(source)) {
                return;
            }
            ended = level(source) ? resamples.get(source) : List.of();
        }
        for (Resample resample : ended) {
            resample.run();
        }
        synchronized (lock) {
            if (active(source) && (!level(source) || asserted(source))) {
                pending[source] = true;
                forward(source);
            }
        }
    }

    private void clearPending(int source) {
        if (active(source)) {
            pending[source] = false;
        }
    }

    private void enable(int source, boolean on) {
        if (active(source)) {
            enabled[source] = on;
            forward(source);
        }
    }

    private void forward(int source) {
        if (interruptEnable && pending[source] && enabled[source]) {
            pending[source] = false;
            send(target[source]);
        }
    }

    private void send(int message) {
        int hart = message >>> HART_SHIFT;
        if (hart < harts) {
            sink.deliver(hart, message & IDENTITY_MASK);
        }
    }

    private boolean active(int source) {
        return source >= 1 && source <= sources && mode[source] != INACTIVE;
    }

    private boolean level(int source) {
        return mode[source] >= LEVEL1;
    }

    /** The rectified input value: zero for an inactive or detached source. */
    private boolean asserted(int source) {
        return asserted(mode[source], wire[source]);
    }

    static boolean asserted(int mode, boolean wire) {
        return mode >= EDGE1 && wire != ((mode & INVERTED) != 0);
    }

    /** Whether sourcecfg can have a value. */
    static boolean isMode(int mode) {
        return mode == INACTIVE || mode == DETACHED || mode >= EDGE1 && mode <= MODE_MASK;
    }

    private static BitSet bits(boolean[] values) {
        BitSet bits = new BitSet();
        for (int i = 0; i < values.length; i++) {
            bits.set(i, values[i]);
        }
        return bits;
    }

    private int word(int offset, IntPredicate bit) {
        int first = offset * Byte.SIZE;
        int word = 0;
        for (int i = 0; i < Integer.SIZE; i++) {
            int source = first + i;
            if (source >= 1 && source <= sources && bit.test(source)) {
                word |= 1 << i;
            }
        }
        return word;
    }

    private static void each(int offset, int bits, IntConsumer action) {
        for (int rest = bits; rest != 0; rest &= rest - 1) {
            action.accept(offset * Byte.SIZE + Integer.numberOfTrailingZeros(rest));
        }
    }

    private static boolean register(int offset, int width) {
        return width == Integer.BYTES && (offset & 3) == 0;
    }

    private static boolean within(int offset, int base, int bytes) {
        return offset >= base && offset < base + bytes;
    }

    private final class Resample implements Vm.Lease {
        private final int source;
        private final Runnable listener;
        private volatile boolean open = true;

        Resample(int source, Runnable listener) {
            this.source = source;
            this.listener = listener;
        }

        void run() {
            if (open) {
                listener.run();
            }
        }

        @Override
        public void close() {
            open = false;
            synchronized (lock) {
                List<Resample> fewer = new ArrayList<>(resamples.get(source));
                fewer.remove(this);
                resamples.set(source, List.copyOf(fewer));
            }
        }
    }
}
