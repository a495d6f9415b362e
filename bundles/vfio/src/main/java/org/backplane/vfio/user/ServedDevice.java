package org.backplane.vfio.user;

import java.util.List;
import java.util.Optional;
import org.backplane.linux.Fd;
import org.backplane.vfio.IrqInfo;
import org.backplane.vfio.RegionInfo;
import org.backplane.vfio.VfioException;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * A PCI device that a {@link VfioUserServer} offers to another process. Indexes are those of {@link
 * org.backplane.vfio.VfioDevice}. All calls come on the server's thread, one at a time, and from
 * whichever client is there; the device's state outlives clients.
 *
 * <p>What a method throws is told to the client as an error and ends nothing; that includes the
 * {@link InternalError} of an access to memory that the client has cut off.
 */
@ConsumerType
public interface ServedDevice {
    /**
     * Once, before any other call.
     *
     * @param wires good until the server is closed
     */
    void wired(ServedWires wires);

    /** Whether {@link #reset} is there. */
    boolean resettable();

    /** Size 0 if the device has no such region. Does not change. */
    RegionInfo region(int index);

    /**
     * What a client may map the region's areas from; stays the device's, open as long as the
     * server. Its size should be sealed: other clients than ours may not look.
     */
    Optional<Fd> mapping(int region);

    /** Count 0 if the device has no such interrupts. Does not change. */
    IrqInfo irq(int index);

    /**
     * Reads a register that {@link #region} says is there and readable, little-endian.
     *
     * @param offset in bytes, a multiple of the width
     * @param width 1, 2, 4 or 8 bytes
     */
    long read(int region, long offset, int width) throws VfioException;

    /** Writes a register, likewise. */
    void write(int region, long offset, int width, long value) throws VfioException;

    void reset() throws VfioException;

    /** The client may have given vectors of a kind eventfds, or taken them away. */
    default void interruptsSet(int irq) {}

    /**
     * The client has finished with INTx, which is unmasked after this: a level that is still high
     * then is told again.
     */
    default void interruptFinished() {}

    /**
     * The client is gone; its interrupts and its memory are still there, and are taken back after
     * this.
     */
    default void left() throws VfioException {}

    /**
     * The client gives memory. It overlaps none that is there.
     *
     * @throws VfioException the client is refused, and is not told to take it back
     */
    void map(ServedMemory memory) throws VfioException;

    /**
     * The client takes memory back, or is gone: none of it is accessed any more once this returns.
     *
     * @param memory all that goes now, at least one run: whoever has to wait for requests waits
     *     once for all of them
     */
    void unmap(List<ServedMemory> memory);
}
