package org.backplane.hart;

/**
 * The supervisor-level interrupt file of one hart's IMSIC (AIA 1.0, chapter 3). Identity 0 is no
 * interrupt; a lower identity has priority.
 *
 * <p>{@link #deliver} and {@link #store} may be called on any thread. Everything else is the hart's
 * side: on the hart's thread, or while it is outside of its run loop.
 */
public final class InterruptFile {
    /**
     * @param identities highest identity, 64n - 1, 63 to 2,047
     * @param wake called on the delivering thread, after an interrupt became pending that was not;
     *     has to be quick and not to throw: the hart's unpark
     */
    public InterruptFile(int identities, Runnable wake) {
        throw new AssertionError("skeleton");
    }

    /** Makes an identity pending; 0 and identities not implemented are ignored. */
    public void deliver(int identity) {
        throw new AssertionError("skeleton");
    }

    /**
     * A store to the file's 4 KiB page: seteipnum_le at 0, seteipnum_be at 4 (AIA section 3.5).
     * Other offsets and widths other than 4 are ignored. Loads read as zero.
     */
    public void store(int offset, int width, long value) {
        throw new AssertionError("skeleton");
    }

    /**
     * Whether the file drives the hart's supervisor external interrupt (sip.SEIP): delivery is on
     * and an enabled identity below the threshold is pending. One volatile load unless something
     * changed.
     */
    public boolean pending() {
        throw new AssertionError("skeleton");
    }

    /**
     * Whether siselect chooses a register of this file (AIA section 3.8); where not, sireg raises
     * an illegal instruction exception. Odd eip and eie registers do not exist on RV64.
     */
    public boolean exists(long select) {
        throw new AssertionError("skeleton");
    }

    /** The value of sireg. */
    public long read(long select) {
        throw new AssertionError("skeleton");
    }

    /**
     * A write of sireg as one step that loses no interrupt delivered meanwhile: csrrw clears all
     * and sets the operand, csrrs clears nothing, csrrc sets nothing.
     *
     * @return the value before
     */
    public long exchange(long select, long clear, long set) {
        throw new AssertionError("skeleton");
    }

    /** The value of stopei: the identity in bits 26:16 and again, as priority, in 10:0; or 0. */
    public int top() {
        throw new AssertionError("skeleton");
    }

    /** A write of stopei: claims what {@link #top} says, which is also returned. */
    public int claim() {
        throw new AssertionError("skeleton");
    }

    /** Nothing pending, nothing enabled, delivery off. */
    public void reset() {
        throw new AssertionError("skeleton");
    }
}
