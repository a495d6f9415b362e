package org.backplane.pci;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.backplane.bus.Bus;
import org.backplane.bus.ClaimException;
import org.backplane.device.DeviceException;
import org.backplane.device.GuestErrors;
import org.backplane.device.context.Lease;
import org.backplane.device.state.SavedState;

/**
 * A type-0 function in a slot: config space, BARs, MSI-X. Made by {@link HostBridge#plug}; belongs
 * to the slot, which closes it. Thread-safe.
 *
 * <p>Configuration accesses never park. One that moves a BAR has taken effect when it returns.
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
    private final List<BaseAddressRegister> registers;
    private final MappedAreas areas;
    private final PciWires wires = new PciWires(this, null, true);

    /** Keeps the order of levels that several threads drive. */
    private final Courier pin = new Courier(this::drivePin);

    /** Level at the router; of the courier alone. */
    private boolean driven;

    /** Times the level rose; written by the courier alone. */
    private final AtomicLong raised = new AtomicLong();

    // Of several processors at once.
    private final LongAdder reads = new LongAdder();
    private final LongAdder writes = new LongAdder();

    /** Times a BAR found no room. */
    private final LongAdder unplaced = new LongAdder();

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
        answeredBy = capabilities.answeredBy(handler);
        config = new ConfigSpace(shape, capabilities);
        errors = new GuestErrors(slot);
        msix = shape.msix().map(where -> new MsixTable(where, bridge.msi(), errors)).orElse(null);
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
        return new PciWires(this, null, false);
    }

    /** As {@link #deviceWires()}, with what carries the device's eventfds. */
    public PciWires deviceWires(VectorTriggers triggers) {
        return new PciWires(this, triggers, false);
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
                register.place();
            }
            all = true;
        } finally {
            if (!all) {
                homeless.forEach(BaseAddressRegister::displace);
            }
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException(slot + " has left the bus");
        }
    }

    /**
     * A configuration read: 1, 2 or 4 bytes, a multiple of the width; anything else reads all ones.
     * Beyond 256 bytes there are zeros, which say that there is no extended capability.
     */
    @Override
    public long readConfig(int offset, int width) {
        if (closed || !legal(offset, width)) {
            return Bus.allOnes(width);
        }
        if (offset >= Type0Header.SPACE_SIZE) {
            return 0;
        }
        int capability = answeredBy[offset];
        return capability < 0
                ? config.read(offset, width)
                : handler.readCapability(
                                capability, offset - capabilities.offset(capability), width)
                        & Bus.allOnes(width);
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
        if (closed || !legal(offset, width) || offset >= Type0Header.SPACE_SIZE) {
            return;
        }
        int capability = answeredBy[offset];
        if (capability >= 0) {
            handler.writeCapability(
                    capability,
                    offset - capabilities.offset(capability),
                    width,
                    value & Bus.allOnes(width));
            return;
        }
        int dword = offset & ~3;
        if (dword == Type0Header.COMMAND || isBaseAddress(dword)) {
            List<String> refused = new ArrayList<>();
            bridge.rearrange(
                    () -> {
                        if (!closed) {
                            config.write(offset, width, value);
                            registers.forEach(each -> each.guestWrote(dword, refused));
                        }
                    });
            refused.forEach(this::wentUnplaced);
        } else {
            config.write(offset, width, value);
        }
        if (dword == Type0Header.COMMAND || msix != null && dword == capabilities.msix()) {
            interruptsChanged();
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
        return new FunctionTraffic(
                reads.sum(),
                writes.sum(),
                raised.get() + (msix == null ? 0 : msix.sent()),
                guestErrors());
    }

    /** Whether memory decoding and bus mastering are off: the guest has let go. */
    public boolean released() {
        return !config.any(
                Type0Header.COMMAND, Type0Header.COMMAND_MEMORY | Type0Header.COMMAND_BUS_MASTER);
    }

    /** Puts config space and MSI-X into the state after {@link #place}; INTx is low. */
    public void reset() {
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
        if (msix != null) {
            msix.reset();
        }
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

    void requireVector(int vector) {
        if (vector < 0 || vector >= shape.msix().map(PciShape.Msix::vectors).orElse(0)) {
            throw new IllegalArgumentException("%s has no MSI-X vector %d".formatted(slot, vector));
        }
    }

    /** Of whatever line the pin ends in. */
    Lease onPinFinished(Runnable listener) {
        if (shape.interruptPin() == 0) {
            throw new IllegalStateException(slot + " has no interrupt pin");
        }
        return bus.onPinFinished(this, shape.interruptPin(), listener);
    }

    void attach(int vector, VectorTriggers.Trigger trigger) {
        msix.attach(vector, trigger);
    }

    void detach(int vector, VectorTriggers.Trigger trigger) {
        msix.detach(vector, trigger);
    }

    void signal(int vector) {
        requireVector(vector);
        msix.signal(vector);
    }

    void interrupt(boolean level) {
        config.interruptStatus(level);
        pin.send();
    }

    boolean msixEnabled() {
        return msix != null && msix.enabled();
    }

    /**
     * COMMAND, here or in the bridge above, MSI-X message control or whether there is a function at
     * all may have changed.
     */
    void interruptsChanged() {
        if (msix != null) {
            msix.control(this::interruptControl);
        }
        pin.send();
    }

    /** Called by the MSI-X table under its lock, so that the last caller sees the last write. */
    private MsixTable.Control interruptControl() {
        if (closed) {
            return new MsixTable.Control(false, false, false);
        }
        int control = capabilities.msix() + Type0Header.MSIX_CONTROL;
        return new MsixTable.Control(
                config.any(control, Type0Header.MSIX_CONTROL_ENABLE),
                config.any(control, Type0Header.MSIX_CONTROL_FUNCTION_MASK),
                config.any(Type0Header.COMMAND, Type0Header.COMMAND_BUS_MASTER)
                        && bus.forwardsRequests());
    }

    /**
     * The pin is high while the device wants it (STATUS), the guest has not disabled it (PCI 3.0,
     * section 6.2.2) and MSI-X, which excludes it (section 6.8.2), is off.
     */
    private void drivePin() {
        boolean high =
                !closed
                        && bus.linked()
                        && shape.interruptPin() != 0
                        && config.any(Type0Header.STATUS, Type0Header.STATUS_INTERRUPT)
                        && !config.any(Type0Header.COMMAND, Type0Header.COMMAND_INTX_DISABLE)
                        && !msixEnabled();
        if (high != driven) {
            driven = high;
            if (high) {
                raised.lazySet(raised.get() + 1);
            }
            bus.pin(this, shape.interruptPin(), high);
        }
    }
}
