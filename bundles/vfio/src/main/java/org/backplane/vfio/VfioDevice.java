package org.backplane.vfio;

import java.util.List;
import java.util.Optional;
import org.backplane.linux.EventFd;
import org.backplane.linux.Fd;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A PCI device that lives elsewhere: in the host's hardware behind the kernel's VFIO, or in another
 * process behind a socket (vfio-user). Both speak of the same regions, interrupts and indexes
 * (linux/vfio.h). Thread-safe. Methods that throw may wait for the other end, bounded.
 *
 * <p>A slot keeps it over swaps of its device: what it holds, DMA maps included, ends with {@link
 * #close}.
 */
@ProviderType
public interface VfioDevice extends AutoCloseable {
    /** Regions 0 to 5 are the BARs. */
    int ROM = 6;

    /** Region of configuration space. */
    int CONFIG = 7;

    int VGA = 8;

    /** Kinds of interrupts. */
    int INTX = 0;

    int MSI = 1;
    int MSIX = 2;

    /** The device met an error that cannot be recovered. */
    int ERROR = 3;

    /** The host asks for the device back. */
    int REQUEST = 4;

    /** For messages: the address at the host, or the path of the socket. */
    String name();

    /** Whether {@link #reset} can do anything. */
    boolean resettable();

    /** Size 0 if the device has no such region. */
    RegionInfo region(int index);

    /** Count 0 if the device has no such interrupts. */
    IrqInfo irq(int index);

    /**
     * Reads a register, little-endian.
     *
     * @param offset in bytes into the region
     * @param width 1, 2, 4 or 8 bytes
     */
    long read(int region, long offset, int width) throws VfioException;

    /** Writes a register, little-endian. */
    void write(int region, long offset, int width, long value) throws VfioException;

    /** What the mappable parts of a region are mapped from; stays this object's. */
    Fd mapping(int region);

    /**
     * Why nothing of a region counts as mappable although the other end offers it, a clause for a
     * message. Empty if that is not so.
     */
    default Optional<String> unmapped(int region) {
        return Optional.empty();
    }

    /**
     * Has vectors signal eventfds from now on; the kind of interrupt is switched on by the first
     * call. Kinds of a device exclude each other: whoever changes from one to another disables the
     * first.
     *
     * @param start the first vector meant
     * @param events one a vector; an empty one takes the vector's eventfd away. They stay the
     *     caller's, and open until others take their place or the kind is disabled
     */
    void trigger(int irq, int start, List<Optional<EventFd>> events) throws VfioException;

    /** Has an eventfd unmask vector 0 of the kind, without this process; empty: none any more. */
    void resample(int irq, Optional<EventFd> event) throws VfioException;

    void mask(int irq) throws VfioException;

    void unmask(int irq) throws VfioException;

    /** Switches a kind of interrupt off, with all its eventfds. */
    void disable(int irq) throws VfioException;

    void reset() throws VfioException;

    /** Readable when the other end has something to say or is gone; empty if it never does. */
    default Optional<Fd> readiness() {
        return Optional.empty();
    }

    /**
     * Handles what made {@link #readiness} readable.
     *
     * @return whether the other end is still there
     */
    default boolean attend() {
        return true;
    }

    /**
     * Looks for the other end again after it has gone. Its DMA maps are made again; interrupts are
     * the caller's to set. Whether it is still the device that it was is the caller's to see: its
     * regions and interrupts may be others now.
     *
     * @throws VfioException it is not there, which {@link VfioException#isAbsent} says, or cannot
     *     be used
     */
    default void reconnect() throws VfioException {}

    /**
     * Leaves the other end alone, which is not the device that was meant: it loses what it has of
     * the guest's memory, and is gone until the next {@link #reconnect}.
     */
    default void disconnect() {}

    /** Why the other end is gone, a clause for a message; empty while it is there. */
    default Optional<String> absence() {
        return Optional.empty();
    }

    @Override
    void close();
}
