package org.backplane.pci;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.function.Supplier;
import org.backplane.bus.Bus;
import org.backplane.device.GuestErrors;

/**
 * MSI-X of one function: table, pending-bit array and what becomes of a request (PCI 3.0, section
 * 6.8). The slot answers these bytes at their real offsets; whatever else their BARs hold is the
 * device's. Thread-safe. No access parks.
 *
 * <p>Messages leave without a lock held. So that none arrives after the guest has masked its
 * vector, a write that masks waits for those that had already been decided on; they are on the way
 * into the interrupt controller, which waits for nothing.
 *
 * <p>A vector may have an eventfd. While its messages may leave, the trigger delivers them by
 * itself, otherwise it reports them here, where they become pending.
 */
final class MsixTable implements MessageSource {
    private static final int ENTRY = Type0Header.MSIX_ENTRY_LENGTH;
    private static final int WORDS = ENTRY / 4;
    private static final int CONTROL_WORD = Type0Header.MSIX_ENTRY_CONTROL / 4;

    private final PciShape.Msix shape;
    private final MsiSink sink;
    private final GuestErrors errors;

    /** Guards the fields below. Nothing is called with it held. */
    private final Object lock = new Object();

    /** The entries as the guest sees them, in words of 32 bits. */
    private final int[] table;

    /** One bit a vector. */
    private final long[] pending;

    /** Messages sent so far. */
    private long sent;

    private boolean functionMasked;
    private boolean busMaster;

    /** Written under the lock, read without. */
    private volatile boolean enabled;

    /** By vector, messages decided on that have not arrived. */
    private final AtomicIntegerArray leaving;

    /** By vector, null where there is none; under the lock. */
    private final VectorTriggers.Trigger[] triggers;

    MsixTable(PciShape.Msix shape, MsiSink sink, GuestErrors errors) {
        this.shape = shape;
        this.sink = sink;
        this.errors = errors;
        table = new int[shape.vectors() * WORDS];
        pending = new long[shape.pbaLength() / Long.BYTES];
        leaving = new AtomicIntegerArray(shape.vectors());
        triggers = new VectorTriggers.Trigger[shape.vectors()];
        clear();
    }

    /** Every vector masked, nothing pending (section 6.8.2.9). */
    private void clear() {
        for (int i = 0; i < table.length; i++) {
            table[i] = i % WORDS == CONTROL_WORD ? Type0Header.MSIX_ENTRY_MASKED : 0;
        }
        Arrays.fill(pending, 0);
    }

    void reset() {
        synchronized (lock) {
            enabled = false;
            functionMasked = false;
            busMaster = false;
            clear();
        }
        for (int vector = 0; vector < shape.vectors(); vector++) {
            settle(vector);
            await(vector);
        }
    }

    @Override
    public int vectors() {
        return shape.vectors();
    }

    @Override
    public void attach(int vector, VectorTriggers.Trigger trigger) {
        synchronized (lock) {
            triggers[vector] = trigger;
        }
        settle(vector);
    }

    @Override
    public void detach(int vector, VectorTriggers.Trigger trigger) {
        synchronized (lock) {
            triggers[vector] = null;
        }
        synchronized (trigger) {
            trigger.hold();
        }
    }

    /** Tells the trigger of a vector, if there is one, what the guest has made of the vector. */
    private void settle(int vector) {
        VectorTriggers.Trigger trigger;
        synchronized (lock) {
            trigger = triggers[vector];
        }
        if (trigger == null) {
            return;
        }
        // Who comes last sees what was written last.
        synchronized (trigger) {
            int word = vector * WORDS;
            boolean open;
            long address;
            int data;
            synchronized (lock) {
                if (triggers[vector] != trigger) {
                    return;
                }
                open = mayLeave(vector);
                address = table[word] & 0xffff_ffffL | (long) table[word + 1] << 32;
                data = table[word + 2];
            }
            if (open) {
                trigger.deliver(address, data);
            } else {
                trigger.report();
            }
        }
    }

    boolean enabled() {
        return enabled;
    }

    /** Whether a request would leave at once. */
    boolean open(int vector) {
        synchronized (lock) {
            return mayLeave(vector);
        }
    }

    /** The vectors that are open, at one moment. */
    BitSet open() {
        BitSet open = new BitSet();
        synchronized (lock) {
            if (enabled && !functionMasked && busMaster) {
                for (int vector = 0; vector < shape.vectors(); vector++) {
                    open.set(vector, !masked(vector));
                }
            }
        }
        return open;
    }

    /** Whether the guest has given the vector a message since it was reset. */
    boolean programmed(int vector) {
        synchronized (lock) {
            return addressed(vector);
        }
    }

    boolean functionMasked() {
        synchronized (lock) {
            return functionMasked;
        }
    }

    boolean vectorMasked(int vector) {
        synchronized (lock) {
            return masked(vector);
        }
    }

    private boolean mayLeave(int vector) {
        return enabled && !functionMasked && busMaster && !masked(vector);
    }

    private boolean addressed(int vector) {
        return (table[vector * WORDS] | table[vector * WORDS + 1]) != 0;
    }

    /** Messages sent since the table was made. */
    long sent() {
        synchronized (lock) {
            return sent;
        }
    }

    /**
     * What message control and COMMAND say.
     *
     * @param maskFunction holds every vector back
     * @param busMaster whether the function may write to memory, hence send messages
     */
    record Control(boolean enable, boolean maskFunction, boolean busMaster) {}

    /**
     * Takes over what message control and COMMAND now say. Requests that waited for it leave;
     * switching off forgets them.
     *
     * @param registers looks; called under the lock so that of two writes the later one is seen
     */
    void control(Supplier<Control> registers) {
        boolean open;
        synchronized (lock) {
            Control control = registers.get();
            enabled = control.enable();
            functionMasked = control.maskFunction();
            busMaster = control.busMaster();
            if (!enabled) {
                Arrays.fill(pending, 0);
            }
            open = enabled && !functionMasked && busMaster;
        }
        for (int vector = 0; vector < shape.vectors(); vector++) {
            settle(vector);
            if (open) {
                deliver(vector, false);
            } else {
                await(vector);
            }
        }
    }

    /**
     * A request of the device, for a vector that there is: leaves as a message, or stays pending
     * while it may not.
     */
    @Override
    public void signal(int vector) {
        deliver(vector, true);
    }

    /**
     * @param request whether there is a new request; otherwise only a pending one is looked for
     */
    private void deliver(int vector, boolean request) {
        int word = vector * WORDS;
        long bit = 1L << vector;
        long address;
        int data;
        synchronized (lock) {
            boolean due = request || (pending[vector / Long.SIZE] & bit) != 0;
            if (!enabled || !due) {
                return;
            }
            if (functionMasked || !busMaster || masked(vector)) {
                pending[vector / Long.SIZE] |= bit;
                return;
            }
            pending[vector / Long.SIZE] &= ~bit;
            address = table[word] & 0xffff_ffffL | (long) table[word + 1] << 32;
            data = table[word + 2];
            leaving.incrementAndGet(vector);
            sent++;
        }
        try {
            sink.signal(address, data);
        } finally {
            leaving.decrementAndGet(vector);
        }
    }

    private boolean masked(int vector) {
        return (table[vector * WORDS + CONTROL_WORD] & Type0Header.MSIX_ENTRY_MASKED) != 0;
    }

    /** The vector's messages that left before it was masked have arrived. */
    private void await(int vector) {
        while (leaving.get(vector) != 0) {
            Thread.yield();
        }
    }

    /** Whether any byte of the access to the BAR is the slot's to answer. */
    boolean covers(int bar, long offset, int width) {
        return overlaps(bar, offset, width, shape.tableBar(), shape.tableOffset(), tableLength())
                || overlaps(bar, offset, width, shape.pbaBar(), shape.pbaOffset(), pbaLength());
    }

    /** In bytes. */
    int tableLength() {
        return shape.tableLength();
    }

    /** In bytes. */
    int pbaLength() {
        return shape.pbaLength();
    }

    private static boolean overlaps(
            int bar, long offset, int width, int ownBar, long start, int length) {
        return bar == ownBar && offset < start + length && start < offset + width;
    }

    /**
     * Software reads dwords and qwords, aligned (section 6.8.2); anything else reads all ones. Both
     * structures lie on multiples of 8, so such an access is wholly inside or wholly outside.
     */
    private static boolean legal(long offset, int width) {
        return (width == 4 || width == 8) && offset % width == 0;
    }

    private boolean inTable(int bar, long offset, int width) {
        return overlaps(bar, offset, width, shape.tableBar(), shape.tableOffset(), tableLength());
    }

    /** Reads where {@link #covers} says so. */
    long read(int bar, long offset, int width) {
        if (!legal(offset, width)) {
            errors.add("MSI-X read of %d bytes at 0x%x of BAR %d", width, offset, bar);
            return Bus.allOnes(width);
        }
        synchronized (lock) {
            if (inTable(bar, offset, width)) {
                int word = (int) (offset - shape.tableOffset()) / 4;
                long low = table[word] & 0xffff_ffffL;
                return width == 4 ? low : low | (long) table[word + 1] << 32;
            }
            int at = (int) (offset - shape.pbaOffset());
            return pending[at / 8] >>> at % 8 * 8 & Bus.allOnes(width);
        }
    }

    /**
     * Writes where {@link #covers} says so; the pending bits are read-only.
     *
     * @return whether the vector was programmed, masked or unmasked by this write
     */
    boolean write(int bar, long offset, int width, long value) {
        if (!legal(offset, width) || !inTable(bar, offset, width)) {
            errors.add("MSI-X write of %d bytes at 0x%x of BAR %d", width, offset, bar);
            return false;
        }
        int at = (int) (offset - shape.tableOffset());
        int vector = at / ENTRY;
        boolean mask;
        boolean changed;
        synchronized (lock) {
            boolean masked = masked(vector);
            boolean addressed = addressed(vector);
            put(at / 4, (int) value);
            if (width == 8) {
                put(at / 4 + 1, (int) (value >>> 32));
            }
            mask = masked(vector);
            changed = mask != masked || addressed(vector) != addressed;
        }
        settle(vector);
        if (mask) {
            await(vector);
        } else {
            deliver(vector, false);
        }
        return changed;
    }

    /** The bits that exist: addresses are dwords, the control word has one bit. */
    private void put(int word, int value) {
        table[word] = value & writable(word);
    }

    private static int writable(int word) {
        return switch (word % WORDS) {
            case 0 -> ~0b11;
            case CONTROL_WORD -> Type0Header.MSIX_ENTRY_MASKED;
            default -> -1;
        };
    }

    /** Table and pending bits as they lie in a BAR, without what follows from config space. */
    record State(byte[] table, byte[] pending) {}

    State save() {
        synchronized (lock) {
            ByteBuffer entries = little(new byte[shape.tableLength()]);
            entries.asIntBuffer().put(table);
            ByteBuffer bits = little(new byte[shape.pbaLength()]);
            bits.asLongBuffer().put(pending);
            return new State(entries.array(), bits.array());
        }
    }

    /**
     * What is wrong with a state, as the end of a sentence, or null.
     *
     * @param state of unknown origin, of the right lengths
     */
    String objection(State state) {
        IntBuffer words = little(state.table()).asIntBuffer();
        for (int word = 0; word < table.length; word++) {
            if ((words.get(word) & ~writable(word)) != 0) {
                return "sets reserved bits of vector %d".formatted(word / WORDS);
            }
        }
        int beyond = shape.vectors() % Long.SIZE;
        long last = little(state.pending()).getLong(shape.pbaLength() - Long.BYTES);
        return beyond != 0 && last >>> beyond != 0 ? "has pending bits without a vector" : null;
    }

    /** Takes over a state without {@link #objection}; {@link #control} is to follow. */
    void load(State state) {
        synchronized (lock) {
            little(state.table()).asIntBuffer().get(table);
            little(state.pending()).asLongBuffer().get(pending);
        }
    }

    private static ByteBuffer little(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
