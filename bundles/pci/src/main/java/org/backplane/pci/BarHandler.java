package org.backplane.pci;

import org.osgi.annotation.versioning.ConsumerType;

/** Answers a function's BARs where MSI-X does not; the slot puts its gate in here. */
@ConsumerType
public interface BarHandler {
    long read(int bar, long offset, int width);

    void write(int bar, long offset, int width, long value);

    /**
     * A BAR now decodes at a base, or nowhere (-1). A move is told as nowhere, then the new base;
     * of several BARs of a bridge, all that is lost is told before what is gained. What a handler
     * maps on being told therefore never overlaps what another has mapped.
     *
     * <p>Under no lock, on the thread that caused it; or, if another thread is telling at that
     * time, on that one, so that news do not overtake each other. Must not wait. May come after the
     * function is closed, with nowhere.
     */
    default void moved(int bar, long base) {}

    /**
     * Whether this handler, not the register file, answers a capability of the shape from its
     * second double word on: registers with a side effect live there, such as the configuration
     * access window of virtio (virtio 1.2, section 4.1.4.9). Constant; asked when plugged.
     *
     * @param capability its place in {@link PciShape#capabilities}
     */
    default boolean answersCapability(int capability) {
        return false;
    }

    /**
     * Reads a register of a capability that {@link #answersCapability}; on a processor's thread.
     *
     * @param offset in bytes from the capability's first byte, at least 4, a multiple of the width
     * @param width in bytes: 1, 2 or 4
     */
    default long readCapability(int capability, int offset, int width) {
        return -1;
    }

    /** As {@link #readCapability}; the value is in the low bits. */
    default void writeCapability(int capability, int offset, int width, long value) {}

    /**
     * Reads registers of {@link PciShape#answered}, as {@link ConfigDevice#readConfig}; on a
     * processor's thread.
     */
    default long readConfig(int offset, int width) {
        return -1;
    }

    /** As {@link #readConfig}; the value is in the low bits. */
    default void writeConfig(int offset, int width, long value) {}

    /** As {@link PinStatus#pinAsserted}; on a processor's thread, inside of a read of STATUS. */
    default boolean pinAsserted() {
        return false;
    }

    /**
     * The guest wrote something that {@link PciWires#interrupts} tells; on a processor's thread,
     * inside of the access, under no lock. Not for a reset.
     */
    default void interruptsChanged() {}
}
