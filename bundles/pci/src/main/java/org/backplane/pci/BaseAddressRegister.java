package org.backplane.pci;

import java.util.List;
import org.backplane.bus.AddressAllocator;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Bus;
import org.backplane.bus.ClaimException;
import org.backplane.bus.IoHandler;
import org.backplane.bus.Placement;
import org.backplane.bus.RegionLease;

/**
 * One base address register and the claim that follows it (PCI 3.0, section 6.2.5.1). The guest may
 * write any address, two BARs may name the same one, and for a moment while Linux assigns resources
 * they do; yet claims never overlap. So a register and its claim are two things: the BAR is
 * <i>placed</i> if it has a claim where the register says, which decodes if COMMAND lets it, and
 * <i>unplaced</i> otherwise: then it decodes nothing and is tried again at every change in the
 * window that the register names.
 *
 * <p>The guest learns the size by writing ones and restoring the address, and nobody must be put
 * there in between. So the place that a BAR leaves stays claimed as its <i>reserve</i>, without
 * decoding, until it is placed anew; a 64-bit register names a place only when both halves have
 * been written, or COMMAND has. A reserve keeps firmware away, not the guest: it yields to any BAR
 * of this bridge whose register names its addresses, so that two BARs can change places. A BAR that
 * COMMAND switches off yields its place to one that is switched on: on a bus, it would not be
 * there.
 *
 * <p>Every method with an effect runs inside of {@link Bus#change}, whose lock guards the state.
 */
final class BaseAddressRegister {
    static final long NOWHERE = -1;

    private final HostBridge bridge;
    private final PciBus bus;
    private final PciShape.Bar bar;
    private final String owner;
    private final ConfigSpace config;
    private final IoHandler decoder;

    /** Where the register says, or null. */
    private RegionLease lease;

    /** Where the BAR was before, or null. */
    private RegionLease reserve;

    /** Which dwords of the register were written since it had no reserve, one bit each. */
    private int written;

    /** Where firmware put it, and a reset puts it again. */
    private long home = NOWHERE;

    /** Why the last claim was refused. */
    private String refusal;

    /** What the handler was told last; of the bridge's courier alone. */
    private long announced = NOWHERE;

    BaseAddressRegister(
            HostBridge bridge,
            PciBus bus,
            String slot,
            PciShape.Bar bar,
            ConfigSpace config,
            IoHandler decoder) {
        this.bridge = bridge;
        this.bus = bus;
        this.bar = bar;
        this.owner = slot + " bar" + bar.index();
        this.config = config;
        this.decoder = decoder;
    }

    /** The bits of the register that are no address. */
    static int typeBits(PciShape.Bar bar) {
        int prefetchable = bar.prefetchable() ? Type0Header.BAR_PREFETCHABLE : 0;
        return switch (bar.kind()) {
            case IO -> Type0Header.BAR_IO;
            case MEMORY_32 -> prefetchable;
            case MEMORY_64 -> Type0Header.BAR_MEMORY_64 | prefetchable;
        };
    }

    /** The bit of COMMAND that lets it decode. */
    static int commandBit(PciShape.Bar bar) {
        return bar.kind() == PciShape.BarKind.IO
                ? Type0Header.COMMAND_IO
                : Type0Header.COMMAND_MEMORY;
    }

    PciShape.Bar bar() {
        return bar;
    }

    private int width() {
        return bar.kind() == PciShape.BarKind.MEMORY_64 ? 8 : 4;
    }

    /** The address that the register names; negative, hence nowhere, if it has bit 63 set. */
    long address() {
        int type =
                bar.kind() == PciShape.BarKind.IO
                        ? Type0Header.BAR_IO_TYPE_MASK
                        : Type0Header.BAR_MEMORY_TYPE_MASK;
        return config.read(Type0Header.baseAddress(bar.index()), width()) & ~(long) type;
    }

    private void program(long address) {
        config.write(Type0Header.baseAddress(bar.index()), width(), address);
    }

    long home() {
        return home;
    }

    /** Whether firmware has it to place: neither it nor the guest did. */
    boolean homeless() {
        return home == NOWHERE && lease == null;
    }

    /** Sets where a reset puts it; only what {@link #fits} or {@link #NOWHERE}. */
    void home(long base) {
        home = base;
    }

    /** Whether the BAR may be there: aligned to its size and inside a window of the host bridge. */
    boolean fits(long base) {
        return (base & (bar.size() - 1)) == 0
                && windowAt(base, bridge.windows(bar.kind()).stream().map(Aperture::whole).toList())
                        != null;
    }

    /** The window in which a BAR at that base would be now, or null. */
    private AddressAllocator windowAt(long base) {
        return windowAt(base, bus.apertures(bar.kind()));
    }

    private AddressAllocator windowAt(long base, List<Aperture> apertures) {
        if (base < 0 || base > Long.MAX_VALUE - bar.size()) {
            return null;
        }
        AddressRange range = new AddressRange(base, bar.size());
        for (Aperture aperture : apertures) {
            if (aperture.range().contains(range)) {
                return aperture.window();
            }
        }
        return null;
    }

    private boolean placed() {
        return lease != null && lease.range().base() == address();
    }

    /** Whether another's change could place it. */
    boolean waiting() {
        return lease == null && windowAt(address()) != null;
    }

    /** Where it decodes at this time, or {@link #NOWHERE}. */
    long decodingAt() {
        return lease != null && lease.decoding() ? lease.range().base() : NOWHERE;
    }

    PciFunction.BarState state() {
        return new PciFunction.BarState(
                bar,
                address(),
                lease == null ? NOWHERE : address(),
                lease != null && lease.decoding());
    }

    /**
     * Follows a guest's write to a dword of the header that may be this register or COMMAND.
     *
     * @param refused takes why the BAR could not be put where the guest wrote; to be logged later,
     *     not under the bus's lock
     */
    void guestWrote(int dword, List<String> refused) {
        int own = dword - Type0Header.baseAddress(bar.index());
        boolean here = own >= 0 && own < width();
        if (here) {
            written |= 1 << own / 4;
        }
        settle();
        if (here && waiting()) {
            refused.add(refusal);
        }
        if (dword == Type0Header.COMMAND && placed()) {
            dropReserve();
        }
    }

    /** Makes the claim follow the register, COMMAND, and what the bridge above lets through. */
    void settle() {
        if (lease != null && windowAt(lease.range().base()) == null) {
            lease.close();
            lease = null;
        }
        if (reserve != null && windowAt(reserve.range().base()) == null) {
            dropReserve();
        }
        if (lease != null && !placed()) {
            lease.decode(false);
            if (reserve == null) {
                reserve = lease;
            } else {
                lease.close();
            }
            lease = null;
        }
        if (lease == null) {
            claim();
        }
        if (lease != null) {
            lease.decode(switchedOn());
        }
        if (lease != null && wholeWritten() || reserve == null) {
            dropReserve();
        }
    }

    private boolean wholeWritten() {
        return written == (1 << width() / 4) - 1;
    }

    private void dropReserve() {
        written = 0;
        if (reserve != null) {
            reserve.close();
            reserve = null;
        }
    }

    /** Claims where the register says, if that can be had. */
    private void claim() {
        long address = address();
        AddressAllocator window = windowAt(address);
        if (window == null) {
            return;
        }
        if (reserve != null && reserve.range().base() == address) {
            lease = reserve;
            reserve = null;
            return;
        }
        bridge.makeWay(window, new AddressRange(address, bar.size()), switchedOn());
        Placement there = new Placement.Exact(address);
        try {
            if (reserve != null && wholeWritten()) {
                reserve.moveTo(window, there);
                lease = reserve;
                reserve = null;
            } else {
                lease = bridge.bus().claim(window, owner, bar.size(), there, decoder, false);
            }
        } catch (ClaimException refused) {
            refusal = refused.getMessage();
        }
    }

    /** Whether COMMAND lets it decode. */
    private boolean switchedOn() {
        return config.any(Type0Header.COMMAND, commandBit(bar));
    }

    /** Gives up the reserve if it is in the way. */
    void yieldReserve(AddressAllocator window, AddressRange wanted) {
        if (reserve != null && reserve.window() == window && reserve.range().overlaps(wanted)) {
            dropReserve();
        }
    }

    /** Whether it has a place there and is switched off: the guest may not even know of it. */
    boolean idleIn(AddressAllocator window, AddressRange wanted) {
        return lease != null
                && !switchedOn()
                && lease.window() == window
                && lease.range().overlaps(wanted);
    }

    /**
     * As firmware does: takes the lowest free addresses, and they become the register's. It has no
     * claim so far.
     */
    void place() throws ClaimException {
        List<Aperture> apertures = bus.firmwareApertures(bar);
        if (apertures.isEmpty()) {
            throw new ClaimException(
                    "%s cannot have 0x%x bytes of %s: the %s has no window for that."
                            .formatted(
                                    owner,
                                    bar.size(),
                                    bar.kind() == PciShape.BarKind.IO
                                            ? "I/O space"
                                            : "memory space",
                                    bus.name()));
        }
        ClaimException first = null;
        for (Aperture aperture : apertures) {
            try {
                lease =
                        bridge.bus()
                                .claim(
                                        aperture.window(),
                                        owner,
                                        bar.size(),
                                        aperture.lowest(bar.size()),
                                        decoder,
                                        false);
                home = lease.range().base();
                program(home);
                dropReserve();
                return;
            } catch (ClaimException refused) {
                if (first == null) {
                    first = refused;
                } else {
                    first.addSuppressed(refused);
                }
            }
        }
        throw first;
    }

    /** The window that firmware tries first, or null. */
    AddressAllocator preferred() {
        List<Aperture> apertures = bus.firmwareApertures(bar);
        return apertures.isEmpty() ? null : apertures.get(0).window();
    }

    boolean isIn(AddressAllocator window) {
        return lease != null && lease.window() == window;
    }

    /** Undoes {@link #place}, if it has been. */
    void displace() {
        if (home != NOWHERE) {
            giveUp();
            program(0);
            home = NOWHERE;
        }
    }

    /**
     * After the registers were reset and all claims given up: goes home. Where another has moved in
     * meanwhile, it is placed anew; where there is no room, or the bridge above is closed, it waits
     * for its home.
     *
     * @param refused takes why it could not be placed
     */
    void goHome(List<String> refused) {
        if (home == NOWHERE) {
            return;
        }
        long old = home;
        program(old);
        settle();
        if (lease == null && windowAt(old) != null) {
            try {
                place();
            } catch (ClaimException full) {
                refused.add(full.getMessage());
                program(old);
            }
        }
    }

    /** Gives all addresses back, whatever the register says. */
    void giveUp() {
        dropReserve();
        if (lease != null) {
            lease.close();
            lease = null;
        }
    }

    long announced() {
        return announced;
    }

    void announced(long base) {
        announced = base;
    }
}
