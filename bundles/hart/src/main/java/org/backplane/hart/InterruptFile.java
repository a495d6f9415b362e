package org.backplane.hart;

import java.util.BitSet;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * The supervisor-level interrupt file of one hart's IMSIC (AIA 1.0, chapter 3). Identity 0 is no
 * interrupt; a lower identity has priority.
 *
 * <p>{@link #deliver} and {@link #store} may be called on any thread. Everything else is the hart's
 * side: on the hart's thread, or while it is outside of its run loop.
 */
public final class InterruptFile {
    private static final int EIDELIVERY = 0x70;
    private static final int EITHRESHOLD = 0x72;
    private static final int EIP0 = 0x80;
    private static final int EIE0 = 0xc0;
    private static final int LAST = 0xff;

    private static final int SETEIPNUM_LE = 0x000;
    private static final int SETEIPNUM_BE = 0x004;

    private static final int IDENTITY_LIMIT = 2047;
    private static final int TOP_IDENTITY_SHIFT = 16;

    private final int identities;
    private final Runnable wake;

    /** The eip array: the only part that other threads write. */
    private final AtomicLongArray pending;

    private final long[] enabled;
    private boolean delivery;
    private int threshold;

    /**
     * Set after a bit of eip and cleared before eip is scanned, both volatile: a scan that misses a
     * bit leaves this set, and the next look scans again.
     */
    private volatile boolean changed;

    /** What the last scan for {@link #pending} found; the hart's own. */
    private boolean signal;

    /**
     * @param identities highest identity, 64n - 1, 63 to 2,047
     * @param wake called on the delivering thread, after an interrupt became pending that was not;
     *     has to be quick and not to throw: the hart's unpark
     */
    public InterruptFile(int identities, Runnable wake) {
        if (identities < 63 || identities > IDENTITY_LIMIT || (identities & 63) != 63) {
            throw new IllegalArgumentException(
                    "an interrupt file has 64n - 1 identities from 63 to 2047, not " + identities);
        }
        this.identities = identities;
        this.wake = wake;
        pending = new AtomicLongArray((identities + 1) / Long.SIZE);
        enabled = new long[pending.length()];
    }

    /** Makes an identity pending; 0 and identities not implemented are ignored. */
    public void deliver(int identity) {
        if (identity < 1 || identity > identities) {
            return;
        }
        long bit = 1L << identity;
        if ((pending.getAndAccumulate(identity >> 6, bit, (old, set) -> old | set) & bit) == 0) {
            changed = true;
            wake.run();
        }
    }

    /**
     * A store to the file's 4 KiB page: seteipnum_le at 0, seteipnum_be at 4 (AIA section 3.5).
     * Other offsets and widths other than 4 are ignored. Loads read as zero.
     *
     * @param width in bytes
     */
    public void store(int offset, int width, long value) {
        if (width != Integer.BYTES) {
            return;
        }
        if (offset == SETEIPNUM_LE) {
            deliver((int) value);
        } else if (offset == SETEIPNUM_BE) {
            deliver(Integer.reverseBytes((int) value));
        }
    }

    /**
     * Whether the file drives the hart's supervisor external interrupt (sip.SEIP): delivery is on
     * and an enabled identity below the threshold is pending. One volatile load unless something
     * changed.
     */
    public boolean pending() {
        if (changed) {
            changed = false;
            signal = delivery && top() != 0;
        }
        return signal;
    }

    /**
     * Whether siselect chooses a register of this file (AIA section 3.8); where not, sireg raises
     * an illegal instruction exception. The odd eip and eie registers do not exist on RV64; the
     * reserved numbers below them do, and read as zero.
     */
    public boolean exists(long select) {
        return select >= EIDELIVERY && select <= LAST && (select < EIP0 || (select & 1) == 0);
    }

    /**
     * The value of sireg.
     *
     * @param select one that {@link #exists}
     */
    public long read(long select) {
        if (select == EIDELIVERY) {
            return delivery ? 1 : 0;
        }
        if (select == EITHRESHOLD) {
            return threshold;
        }
        int word = word(select);
        if (word < 0) {
            return 0;
        }
        return select < EIE0 ? pending.get(word) : enabled[word];
    }

    /**
     * A write of sireg as one step that loses no interrupt delivered meanwhile: csrrw clears all
     * and sets the operand, csrrs clears nothing, csrrc sets nothing.
     *
     * @param select one that {@link #exists}
     * @return the value before
     */
    public long exchange(long select, long clear, long set) {
        long before = read(select);
        long value = before & ~clear | set;
        if (select == EIDELIVERY) {
            // WARL; the third value, delivery by an APLIC, is optional and not offered.
            delivery = (value & 1) != 0;
        } else if (select == EITHRESHOLD) {
            threshold = (int) value & thresholdMask(identities);
        } else {
            int word = word(select);
            if (word < 0) {
                return before;
            }
            long implemented = word == 0 ? ~1L : ~0L;
            if (select < EIE0) {
                before = pending.getAndUpdate(word, old -> (old & ~clear | set) & implemented);
            } else {
                enabled[word] = value & implemented;
            }
        }
        changed = true;
        return before;
    }

    /** The value of stopei: the identity in bits 26:16 and again, as priority, in 10:0; or 0. */
    public int top() {
        for (int word = 0; word < enabled.length; word++) {
            long candidates = pending.get(word) & enabled[word];
            if (candidates != 0) {
                int identity = word << 6 | Long.numberOfTrailingZeros(candidates);
                boolean passes = threshold == 0 || identity < threshold;
                return passes ? identity << TOP_IDENTITY_SHIFT | identity : 0;
            }
        }
        return 0;
    }

    /** A write of stopei: claims what {@link #top} says, which is also returned. */
    public int claim() {
        int top = top();
        if (top != 0) {
            int identity = top >> TOP_IDENTITY_SHIFT;
            long bit = 1L << identity;
            pending.getAndAccumulate(identity >> 6, bit, (old, clear) -> old & ~clear);
            changed = true;
        }
        return top;
    }

    /** Nothing pending, nothing enabled, delivery off. */
    public void reset() {
        for (int word = 0; word < enabled.length; word++) {
            pending.set(word, 0);
            enabled[word] = 0;
        }
        delivery = false;
        threshold = 0;
        changed = true;
    }

    /** The bits of eithreshold that hold an identity. */
    static int thresholdMask(int identities) {
        return (Integer.highestOneBit(identities) << 1) - 1;
    }

    InterruptFileRecord save() {
        long[] pendingWords = new long[enabled.length];
        for (int word = 0; word < pendingWords.length; word++) {
            pendingWords[word] = pending.get(word);
        }
        return new InterruptFileRecord(
                delivery, threshold, BitSet.valueOf(pendingWords), BitSet.valueOf(enabled));
    }

    void restore(InterruptFileRecord saved) {
        reset();
        saved.pending().stream().forEach(this::restorePending);
        long[] words = saved.enabled().toLongArray();
        System.arraycopy(words, 0, enabled, 0, words.length);
        delivery = saved.delivery();
        threshold = saved.threshold();
        changed = true;
    }

    private void restorePending(int identity) {
        pending.set(identity >> 6, pending.get(identity >> 6) | 1L << identity);
    }

    /** Index of an eip or eie register's 64 bits, or -1 where none are implemented. */
    private int word(long select) {
        if (select < EIP0) {
            return -1;
        }
        int word = (int) (select & 0x3f) >> 1;
        return word < enabled.length ? word : -1;
    }
}
