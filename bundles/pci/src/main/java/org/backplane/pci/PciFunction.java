package org.backplane.pci;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import org.backplane.bus.AddressAllocator;
import org.backplane.bus.Bus;
import org.backplane.bus.ClaimException;
import org.backplane.device.DeviceException;
import org.backplane.device.GuestErrors;
import org.backplane.device.context.Lease;
import org.backplane.device.state.SavedState;
import org.backplane.linux.EventFd;

/**
 * A type-0 function in a slot: config space, BARs, interrupts. Made by {@link HostBridge#plug};
 * belongs to the slot, which closes it. Thread-safe.
 *
 * <p>Configuration accesses park only where a device answers or follows them. One that moves a BAR
 * has taken effect when it returns.
 */
public final class PciFunction implements ConfigTarget, AutoCloseable {
    private final Logger log = System.getLogger(PciFunction.class.getName());
    private final HostBridge bridge;
    private final PciBus bus;
    private final String slot;
    private final int device;
    private final PciShape shape;
    private final BarHandler handler;
    private final CapabilityList capabilities;
    private final byte[] answeredBy;
    private final ConfigSpace config;
    private final GuestErrors errors;
    private final MsixTable msix;
    private final Interrupts interrupts;
    private final List<BaseAddressRegister> registers;
    private final MappedAreas areas;
    private final PciWires wires = new PciWires(this, null, false, true);

    // Of several processors at once.
    private final LongAdder reads = new LongAdder();
    private final LongAdder writes = new LongAdder();

    /** Times a BAR found no room. */
    private final LongAdder unplaced = new LongAdder();

    /** Whether the guest has let it access memory since the last reset. */
    private volatile boolean mastered;

    private volatile boolean closed;

    PciFunction(
            HostBridge bridge,
            PciBus bus,
            String slot,
            int device,
            PciShape shape,
            BarHandler handler) {
        this.bridge = bridge;
        this.bus = bus;
        this.slot = slot;
        this.device = device;
        this.shape = shape;
        this.handler = handler;
        capabilities = new CapabilityList(shape);
        config = new ConfigSpace(shape, capabilities, bus.integrated());
        answeredBy = capabilities.answeredBy(handler, config.size());
        errors = new GuestErrors(slot);
        msix = shape.msix().map(where -> new MsixTable(where, bridge.msi(), errors)).orElse(null);
        interrupts = new Interrupts(this, bus, config, capabilities, msix, bridge.msi());
        registers = shape.bars().stream().map(this::register).toList();
        areas = new MappedAreas(slot, shape, bridge.memory());
    }

    private BaseAddressRegister register(PciShape.Bar bar) {
        BarDecoder decoder = new BarDecoder(this, bar.index(), msix, handler);
        return new BaseAddressRegister(bridge, bus, slot, bar, config, decoder);
    }

    /**
     * No mistake of the guest: Linux moves BARs one after the other, over places that others still
     * have.
     */
    private void wentUnplaced(String refusal) {
        unplaced.increment();
        if (Long.bitCount(unplaced.sum()) == 1) {
            log.log(Level.DEBUG, "{0}: unplaced for now: {1}", slot, refusal);
        }
    }

    public String slot() {
        return slot;
    }

    /** Device number on its bus. */
    public int device() {
        return device;
    }

    /** Where the guest finds it at this time. */
    public PciAddress address() {
        return new PciAddress(bus.number(), device, 0);
    }

    public PciShape shape() {
        return shape;
    }

    /** Wires that are always heard: of the slot itself. */
    public PciWires wires() {
        return wires;
    }

    /** Wires for one device, dead until they are {@link #connect connected}. */
    public PciWires deviceWires() {
        return new PciWires(this, null, false, false);
    }

    /** As {@link #deviceWires()}, with what carries the device's eventfds. */
    public PciWires deviceWires(VectorTriggers triggers) {
        return deviceWires(triggers, false);
    }

    /**
     * As {@link #deviceWires(VectorTriggers)}.
     *
     * @param tellsPin whether {@link BarHandler#pinAsserted} tells the level of the device's pin
     */
    public PciWires deviceWires(VectorTriggers triggers, boolean tellsPin) {
        return new PciWires(this, triggers, tellsPin, false);
    }

    /** The device is behind the function: what it set and raised before counts from now on. */
    public void connect(PciWires these) {
        these.connect();
    }

    /** The device has left; nothing that it does is heard any more. */
    public void disconnect(PciWires these) {
        these.disconnect();
    }

    /**
     * As firmware does: gives each BAR that has no place one in the bridge's windows, the largest
     * first, and writes it into the register; or refuses, and then nothing changed. Decoding stays
     * off until the guest switches it on.
     *
     * @throws ClaimException naming the BAR, its size, the window and what is left
     */
    public void place() throws ClaimException {
        bridge.rearrange(this::placeHomeless);
    }

    private void placeHomeless() throws ClaimException {
        requireOpen();
        // Falling sizes, each a power of two, leave no gap between one BAR and the next.
        List<BaseAddressRegister> homeless =
                registers.stream()
                        .filter(BaseAddressRegister::homeless)
                        .sorted(Comparator.comparingLong(register -> -register.bar().size()))
                        .toList();
        boolean all = false;
        try {
            for (BaseAddressRegister register : homeless) {
                place(register, homeless);
            }
            all = true;
        } finally {
            if (!all) {
                homeless.forEach(BaseAddressRegister::displace);
            }
        }
    }

    private void place(BaseAddressRegister register, List<BaseAddressRegister> homeless)
            throws ClaimException {
        try {
            register.place();
        } catch (ClaimException full) {
            AddressAllocator window = register.preferred();
            List<Long> sizes =
                    homeless.stream()
                            .filter(each -> each.preferred() == window)
                            .map(each -> each.bar().size())
                            .toList();
            ClaimException refusal = bridge.noRoom(full.getMessage(), window, this, sizes);
            refusal.initCause(full);
            throw refusal;
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException(slot + " has left the bus");
        }
    }

    /**
     * A configuration read: 1, 2 or 4 bytes, a multiple of the width; anything else reads all ones.
     * Behind the last extended capability there are zeros, and from 256 bytes on if there is none:
     * they say so.
     */
    @Override
    public long readConfig(int offset, int width) {
        if (closed || !legal(offset, width)) {
            return Bus.allOnes(width);
        }
        if (offset >= config.size()) {
            return 0;
        }
        int by = answeredBy[offset + width - 1];
        if (by == CapabilityList.REGISTER_FILE) {
            return config.read(offset, width) | pinStatus(offset, width);
        }
        long value =
                by == CapabilityList.DEVICE
                        ? handler.readConfig(offset, width)
                        : handler.readCapability(by, offset - capabilities.offset(by), width);
        for (int i = 0; i < width && answeredBy[offset + i] != by; i++) {
            value = value & ~(0xffL << 8 * i) | config.read(offset + i, 1) << 8 * i;
        }
        return closed ? Bus.allOnes(width) : value & Bus.allOnes(width);
    }

    /** What the register file does not know of STATUS. */
    private long pinStatus(int offset, int width) {
        boolean covered = offset <= Type0Header.STATUS && Type0Header.STATUS < offset + width;
        return covered && interrupts.pinRouted() && handler.pinAsserted()
                ? (long) Type0Header.STATUS_INTERRUPT << 8 * (Type0Header.STATUS - offset)
                : 0;
    }

    private boolean legal(int offset, int width) {
        boolean legal = ConfigSpace.legal(offset, width);
        if (!legal) {
            errors.add("configuration access of %d bytes at 0x%x", width, offset);
        }
        return legal;
    }

    /** A configuration write; one that is not naturally aligned is dropped. */
    @Override
    public void writeConfig(int offset, int width, long value) {
        if (closed || !legal(offset, width) || offset >= config.size()) {
            return;
        }
        int by = answeredBy[offset + width - 1];
        long sent = value & Bus.allOnes(width);
        if (by == CapabilityList.REGISTER_FILE) {
            writeRegisters(offset, width, sent);
        } else if (by == CapabilityList.DEVICE) {
            handler.writeConfig(offset, width, sent);
        } else {
            handler.writeCapability(by, offset - capabilities.offset(by), width, sent);
        }
    }

    private void writeRegisters(int offset, int width, long value) {
        int dword = offset & ~3;
        long changed;
        if (dword == Type0Header.COMMAND || isBaseAddress(dword)) {
            List<String> refused = new ArrayList<>();
            long[] bits = new long[1];
            bridge.rearrange(
                    () -> {
                        if (!closed) {
                            bits[0] = config.write(offset, width, value);
                            registers.forEach(each -> each.guestWrote(dword, refused));
                        }
                    });
            refused.forEach(this::wentUnplaced);
            changed = bits[0];
        } else {
            changed = config.write(offset, width, value);
        }
        if (config.any(Type0Header.COMMAND, Type0Header.COMMAND_BUS_MASTER)) {
            mastered = true;
        }
        if (interrupts.concerns(dword)) {
            interrupts.changed();
            if (interrupts.switched(dword, changed << 8 * (offset & 3))) {
                handler.interruptsChanged();
            }
        }
    }

    private static boolean isBaseAddress(int offset) {
        return offset >= Type0Header.BASE_ADDRESS
                && offset < Type0Header.baseAddress(Type0Header.BASE_ADDRESS_REGISTERS);
    }

    /**
     * State of one BAR, for the address map.
     *
     * @param register the address that the register names, without the type bits
     * @param base where the claim is if that is what the register names, else -1: unplaced
     * @param decoding whether the guest reaches it there
     */
    public record BarState(PciShape.Bar bar, long register, long base, boolean decoding) {}

    /** In the order of the shape. */
    public List<BarState> bars() {
        List<BarState> states = new ArrayList<>();
        bridge.bus().change(() -> registers.forEach(each -> states.add(each.state())));
        return List.copyOf(states);
    }

    /**
     * Host memory that the guest reaches in a BAR, without an exit.
     *
     * @param offset in bytes from the beginning of the BAR
     * @param length in bytes
     */
    public record MappedRange(int bar, long offset, long guestAddress, long length) {}

    /** What is mapped into BARs now; see {@link PciWires#map}. */
    public List<MappedRange> mapped() {
        return areas.ranges();
    }

    /**
     * Takes out what is mapped; until a device declares it again, every access is the handler's.
     */
    public void unmap() {
        areas.declare(MappedAreas.Declaration.NOTHING);
    }

    /** Mistakes of the guest so far: BARs put where there is no room, odd accesses. */
    public long guestErrors() {
        return errors.count();
    }

    /** Totals since the function was plugged; resets and moves of BARs take nothing from them. */
    public FunctionTraffic traffic() {
        return new FunctionTraffic(reads.sum(), writes.sum(), interrupts.sent(), guestErrors());
    }

    /**
     * Whether the guest has let go: it has switched bus mastering off again, or decoding is off,
     * too. Linux leaves memory decoding on when a driver leaves, and when a function is removed.
     */
    public boolean released() {
        return !config.any(Type0Header.COMMAND, Type0Header.COMMAND_BUS_MASTER)
                && (mastered || !config.any(Type0Header.COMMAND, Type0Header.COMMAND_MEMORY));
    }

    /** Puts config space and MSI-X into the state after {@link #place}; INTx is low. */
    public void reset() {
        mastered = false;
        List<String> refused = new ArrayList<>();
        bridge.rearrange(
                () -> {
                    config.reset();
                    registers.forEach(BaseAddressRegister::giveUp);
                    if (!closed) {
                        registers.forEach(register -> register.goHome(refused));
                    }
                });
        refused.forEach(refusal -> log.log(Level.WARNING, "after the reset: {0}", refusal));
        interrupts.reset();
        interruptsChanged();
    }

    /** Saves what the guest can see of the function. Processors and device are at rest. */
    public SavedState save() {
        return new FunctionState(
                        config.bytes(),
                        registers.stream().map(BaseAddressRegister::home).toList(),
                        msix == null ? null : msix.save())
                .toSaved(registers);
    }

    /**
     * Takes over a state saved by a function of the same shape; on refusal nothing changed. A BAR
     * whose place is taken waits for it: the other's state may be yet to come.
     *
     * @throws DeviceException the state is not one of this function
     */
    public void restore(SavedState saved) throws DeviceException {
        FunctionState state = FunctionState.of(saved, config, registers, msix);
        bridge.rearrange(
                () -> {
                    requireOpen();
                    registers.forEach(BaseAddressRegister::giveUp);
                    config.load(state.config());
                    for (int i = 0; i < registers.size(); i++) {
                        registers.get(i).home(state.homes().get(i));
                        registers.get(i).settle();
                    }
                });
        if (msix != null) {
            msix.load(state.msix());
        }
        interruptsChanged();
    }

    /**
     * Leaves the bus: all ones from now on, claims given back, INTx low. What a handler answers to
     * an access under way is lost. Waits for no handler; closing twice is closing once.
     */
    @Override
    public void close() {
        bridge.rearrange(
                () -> {
                    closed = true;
                    bus.left(this);
                    for (int i = registers.size() - 1; i >= 0; i--) {
                        registers.get(i).giveUp();
                    }
                });
        areas.close();
        interruptsChanged();
        bus.changed();
    }

    // The rest is for the function's parts.

    boolean closed() {
        return closed;
    }

    /** A processor's access to a BAR or to configuration space. */
    void countRead() {
        reads.increment();
    }

    void countWrite() {
        writes.increment();
    }

    BarHandler handler() {
        return handler;
    }

    List<BaseAddressRegister> registers() {
        return registers;
    }

    PciBus bus() {
        return bus;
    }

    MappedAreas areas() {
        return areas;
    }

    /** A BAR decodes at a base now, or nowhere; of the bridge's courier alone. */
    void moved(int bar, long base) {
        areas.moved(bar, base);
        handler.moved(bar, base);
    }

    void requireMemory(int bar, long offset, long length) {
        boolean inside =
                shape.bar(bar)
                        .filter(each -> each.kind() != PciShape.BarKind.IO)
                        .filter(each -> offset >= 0 && offset <= each.size())
                        .filter(each -> length > 0 && length <= each.size() - offset)
                        .isPresent();
        if (!inside) {
            throw new IllegalArgumentException(
                    "%s: 0x%x bytes at 0x%x are not inside memory BAR %d"
                            .formatted(slot, length, offset, bar));
        }
    }

    Interrupts interrupts() {
        return interrupts;
    }

    void requirePin() {
        if (shape.interruptPin() == 0) {
            throw new IllegalStateException(slot + " has no interrupt pin");
        }
    }

    /** Of whatever line the pin ends in. */
    Lease onPinFinished(Runnable listener) {
        return bus.onPinFinished(this, shape.interruptPin(), listener);
    }

    /** Has the host's kernel carry two eventfds to and from that line; empty if it cannot. */
    Optional<Lease> routePin(EventFd trigger, EventFd resample) {
        return bus.routePin(this, shape.interruptPin(), trigger, resample);
    }

    /**
     * COMMAND, here or in the bridge above, message control or whether there is a function at all
     * may have changed.
     */
    void interruptsChanged() {
        interrupts.changed();
    }
}
