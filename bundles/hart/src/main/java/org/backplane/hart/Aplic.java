package org.backplane.hart;

import org.backplane.hypervisor.Vm;

/**
 * One supervisor-level interrupt domain of an APLIC in MSI delivery mode, without children (AIA
 * 1.0, chapter 4). The MSI addresses are the board's, as machine-mode firmware would have left
 * them: hart index n means interrupt file n. Thread-safe.
 */
public final class Aplic {
    /** Takes the messages; called on the thread that caused one, without a lock held. */
    @FunctionalInterface
    public interface MsiSink {
        void deliver(int hart, int identity);
    }

    /**
     * @param sources highest source number, 1 to 1,023
     * @param harts number of interrupt files; messages to others are dropped
     */
    public Aplic(int sources, int harts, MsiSink sink) {
        throw new AssertionError("skeleton");
    }

    /**
     * A load from the register block. Only aligned words exist; all else reads as zero.
     *
     * @param offset from the base, in bytes
     */
    public int read(int offset, int width) {
        throw new AssertionError("skeleton");
    }

    /** A store to the register block; all but aligned words is ignored. */
    public void write(int offset, int width, int value) {
        throw new AssertionError("skeleton");
    }

    /** Sets the level of a source's wire, before sourcecfg's inversion. */
    public void setLine(int source, boolean high) {
        throw new AssertionError("skeleton");
    }

    /**
     * Runs the listener each time the guest writes a level source's number to setipnum (AIA section
     * 4.9.2), on the writing thread and before the input is looked at again: a listener that lowers
     * the line prevents that it is pending anew.
     *
     * @return a lease; once closed, no new call begins
     */
    public Vm.Lease onResample(int source, Runnable listener) {
        throw new AssertionError("skeleton");
    }

    /** Registers as after reset. The wires keep their levels, the listeners stay. */
    public void reset() {
        throw new AssertionError("skeleton");
    }
}
