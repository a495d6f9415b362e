package org.backplane.pci;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.backplane.bus.Bus;
import org.backplane.bus.ClaimException;
import org.backplane.device.DeviceException;
import org.backplane.device.GuestErrors;
import org.backplane.device.context.Lease;
import org.backplane.device.state.SavedState;
import org.backplane.linux.EventFd;

/**
 * A PCI Express root port with one hot-plug slot: a bridge from bus 0 to a bus of its own, on which
 * the slot's function is device 0 (PCI Express 5.0, sections 6.7.3 and 7.5). Made by {@link
 * HostBridge#addRootPort}; thread-safe.
 *
 * <p>A function is there for the guest while its link is up: it has been {@link #insert inserted},
 * the slot's power is on, or has been off since before that, and neither link disable nor secondary
 * bus reset is set. While the link is down, or no window of the bridge is open for them, BARs are
 * unplaced. Closing the function takes it out of the slot, which is surprise removal unless the
 * guest switched power off before.
 *
 * <p>A link that the guest takes down resets the function; who owns the function does that, says
 * so, and only then the link can come up again.
 */
public final class RootPort implements ConfigTarget, PciSocket {
    /** Shown to the guest as QEMU's generic root port, which guests know. */
    private static final int VENDOR = 0x1b36;

    private static final int DEVICE = 0x000c;
    private static final int CLASS = 0x060400;
    private static final int INTERRUPT_PIN = 1;

    private static final MsiLayout MSI = new MsiLayout(1, true, true);
    private static final int MSI_AT = Type0Header.END;
    private static final int EXPRESS_AT = MSI_AT + MSI.length();

    /** Who owns the function in the slot. Called under no lock, by any thread; must not wait. */
    @FunctionalInterface
    public interface Occupant {
        /**
         * The guest took the link down, or lets a function go whose link it took down before. The
         * function is to be reset, with all that is behind it, and then {@link #recovered} to be
         * called.
         *
         * @param consented the guest lets the function go after it was asked to by {@link #press}:
         *     the function is to be closed instead
         */
        void linkLost(boolean consented);
    }

    /** What became of an attention button. */
    public enum Button {
        /** The guest was told; {@link Occupant#linkLost} follows if it agrees. */
        PRESSED,
        /** The guest has not enabled the button's interrupt: nothing was done. */
        NOT_HEEDED,
        /** The guest has switched the slot off already: the function can go at once. */
        POWER_OFF
    }

    /**
     * What the slot is like.
     *
     * @param present whether presence detect says that there is a card
     * @param powered whether the guest has power on
     * @param linkActive whether the function answers
     * @param blinking whether the guest is about to switch power
     */
    public record SlotState(
            boolean present, boolean powered, boolean linkActive, boolean blinking) {}

    private final HostBridge bridge;
    private final int device;
    private final int slotNumber;
    private final RootPortWindows preset;
    private final GuestErrors errors;
    private final ConfigSpace config;
    private final ForwardingWindows windows;
    private final HotPlugSlot slot;
    private final Msi msi;
    private final PortInterrupts interrupts;
    private final PciBus secondary = new SecondaryBus();
    private final AtomicReference<PciFunction> function = new AtomicReference<>();
    private volatile Occupant occupant;

    // Guarded by the bus's lock.

    /** The guest has been asked to let the function go, and has not answered. */
    private boolean asked;

    /** The function is being reset. */
    private boolean recovering;

    /**
     * A card came, and the guest has not switched power on since. Its link is up all the same:
     * where there is an attention button, Linux listens to the link and the button, not to
     * presence, and nobody presses the button for a card that was just put in.
     */
    private boolean arrived;

    RootPort(HostBridge bridge, int device, int slotNumber, RootPortWindows preset, MsiSink sink) {
        this.bridge = bridge;
        this.device = device;
        this.slotNumber = slotNumber;
        this.preset = preset;
        errors = new GuestErrors("port " + slotNumber);
        config = new ConfigSpace(space -> define(space, slotNumber));
        windows = new ForwardingWindows(config);
        slot = new HotPlugSlot(config, EXPRESS_AT);
        msi = new Msi(MSI, config, MSI_AT, sink, this::busMaster);
        interrupts =
                new PortInterrupts(
                        slot, config, msi, (pin, high) -> bridge.drivePin(device, pin, high));
    }

    private static void define(ConfigSpace space, int slotNumber) {
        space.define(Type0Header.VENDOR_ID, 2, VENDOR, 0);
        space.define(Type0Header.DEVICE_ID, 2, DEVICE, 0);
        space.define(
                Type0Header.COMMAND,
                2,
                0,
                Type0Header.COMMAND_IO
                        | Type0Header.COMMAND_MEMORY
                        | Type0Header.COMMAND_BUS_MASTER
                        | Type0Header.COMMAND_PARITY
                        | Type0Header.COMMAND_SERR
                        | Type0Header.COMMAND_INTX_DISABLE);
        space.define(Type0Header.STATUS, 2, Type0Header.STATUS_CAPABILITIES, 0);
        space.defineStatus();
        space.define(Type0Header.CLASS_CODE, 3, CLASS, 0);
        space.define(Type0Header.CACHE_LINE_SIZE, 1, 0, 0xff);
        space.define(Type0Header.HEADER_TYPE, 1, Type1Header.BRIDGE, 0);
        space.define(Type1Header.PRIMARY_BUS, 1, 0, 0xff);
        space.define(Type1Header.SECONDARY_BUS, 1, 0, 0xff);
        space.define(Type1Header.SUBORDINATE_BUS, 1, 0, 0xff);
        space.defineClearedByOne(Type1Header.SECONDARY_STATUS, 2, Type0Header.STATUS_ERRORS);
        ForwardingWindows.define(space);
        space.define(Type0Header.INTERRUPT_LINE, 1, 0, 0xff);
        space.define(Type0Header.INTERRUPT_PIN, 1, INTERRUPT_PIN, 0);
        space.define(
                Type1Header.BRIDGE_CONTROL,
                2,
                0,
                Type1Header.CONTROL_PARITY
                        | Type1Header.CONTROL_SERR
                        | Type1Header.CONTROL_SECONDARY_RESET);
        space.define(Type0Header.CAPABILITIES_POINTER, 1, MSI_AT, 0);
        MSI.define(space, MSI_AT);
        space.define(MSI_AT + Type0Header.CAPABILITY_NEXT, 1, EXPRESS_AT, 0);
        HotPlugSlot.define(space, EXPRESS_AT, slotNumber, slotNumber);
    }

    /** Device number on bus 0. */
    public int device() {
        return device;
    }

    /** Physical slot number, by which the operator and the guest name the port; from 1. */
    public int slotNumber() {
        return slotNumber;
    }

    /** What firmware programs. */
    public RootPortWindows preset() {
        return preset;
    }

    /** Bus numbers and windows as they are programmed now; null where one is closed. */
    public RootPortWindows programmed() {
        int last = busNumber(Type1Header.SUBORDINATE_BUS);
        int first = Math.max(1, busNumber(Type1Header.SECONDARY_BUS));
        return new RootPortWindows(
                first,
                Math.max(first, last),
                windows.io().orElse(null),
                windows.memory().orElse(null),
                windows.prefetchable().orElse(null));
    }

    public PciAddress address() {
        return new PciAddress(0, device, 0);
    }

    public SlotState state() {
        return new SlotState(slot.present(), slot.powered(), slot.linkActive(), slot.blinking());
    }

    /** What was plugged, if anything. */
    public Optional<PciFunction> function() {
        return Optional.ofNullable(function.get());
    }

    /**
     * Puts a function into the slot. The guest sees it after {@link #insert}, or after {@link
     * #install}.
     *
     * @throws ClaimException another one is there
     */
    @Override
    public PciFunction plug(String owner, PciShape shape, BarHandler handler)
            throws ClaimException {
        PciFunction fresh = bridge.make(secondary, owner, 0, shape, handler);
        if (!function.compareAndSet(null, fresh)) {
            fresh.close();
            PciFunction holder = function.get();
            throw new ClaimException(
                    "%s cannot be plugged into port %d: %s is there; unplug that, or give another port."
                            .formatted(
                                    owner, slotNumber, holder == null ? "another" : holder.slot()));
        }
        return fresh;
    }

    /** Who hears of what the guest does with the slot; null for nobody: the port resets then. */
    public void occupant(Occupant listener) {
        occupant = listener;
    }

    /** Before the guest runs: the card is there, powered, its link up, and nobody is told. */
    public void install() {
        requireFunction();
        change(() -> slot.firmware(true));
    }

    /** While the guest runs: presence detect changes and the link comes up; the guest is told. */
    public void insert() {
        requireFunction();
        change(
                () -> {
                    arrived = true;
                    slot.present(true);
                });
    }

    private void requireFunction() {
        if (function.get() == null) {
            throw new IllegalStateException("there is nothing in port " + slotNumber);
        }
    }

    /**
     * Finds out whether the BARs of a function fit into the windows of the port, as it has them
     * programmed now: for one that the guest is to place.
     *
     * @throws ClaimException naming the BAR, its size and the window
     */
    public void requireRoom(PciFunction coming) throws ClaimException {
        windows.requireRoom(coming, slotNumber, bridge);
    }

    /** Presses the attention button: the guest is asked to let the function go. */
    public Button press() {
        var outcome = new AtomicReference<Button>();
        change(
                () -> {
                    // One that arrived may be used though power was never switched on: by a guest
                    // that does not handle slots, but looked for new functions by itself.
                    if (!slot.powered() && (slot.heedsButton() ? !slot.blinking() : !arrived)) {
                        outcome.set(Button.POWER_OFF);
                    } else if (slot.heedsButton()) {
                        asked = true;
                        slot.press();
                        outcome.set(Button.PRESSED);
                    } else {
                        outcome.set(Button.NOT_HEEDED);
                    }
                });
        return outcome.get();
    }

    /**
     * Whether the guest has let the function go: by the power indicator, which permits it by being
     * off only (section 6.7.1.1.2). Linux switches power off first, waits a second, and hears of no
     * card that comes in that time.
     */
    private boolean consented() {
        return asked && !slot.powered() && !slot.blinking();
    }

    /** Does not ask any longer: if the guest switches power off from now on, it is for itself. */
    public void withdraw() {
        bridge.bus().change(() -> asked = false);
    }

    /** The function has been reset after {@link Occupant#linkLost}. */
    public void recovered() {
        change(() -> recovering = false);
    }

    /** A reset of the bus: registers as they were made; the card stays where it is. */
    void reset() {
        change(
                () -> {
                    asked = false;
                    recovering = false;
                    arrived = false;
                    config.reset();
                });
    }

    /** Firmware's work at a boot: bus numbers, windows, forwarding, power where there is a card. */
    void program() {
        change(
                () -> {
                    config.write(Type1Header.PRIMARY_BUS, 1, 0);
                    config.write(Type1Header.SECONDARY_BUS, 1, preset.secondary());
                    config.write(Type1Header.SUBORDINATE_BUS, 1, preset.subordinate());
                    windows.program(preset);
                    config.write(
                            Type0Header.COMMAND,
                            2,
                            Type0Header.COMMAND_IO
                                    | Type0Header.COMMAND_MEMORY
                                    | Type0Header.COMMAND_BUS_MASTER);
                    slot.firmware(function.get() != null);
                });
    }

    /** Saves what the guest can see of the port itself. Processors and devices are at rest. */
    SavedState save() {
        return new RootPortState(config.bytes(), asked, recovering, arrived).toSaved();
    }

    /** A state that {@link #restore(RootPortState)} takes. */
    RootPortState check(SavedState saved) throws DeviceException {
        return RootPortState.of(saved, config);
    }

    /** Before functions are plugged into a machine that is restored. */
    void restore(RootPortState state) {
        bridge.rearrange(
                () -> {
                    config.load(state.config());
                    asked = state.asked();
                    recovering = state.recovering();
                    arrived = state.arrived();
                    interrupts.looked();
                });
        interrupts.send();
    }

    /** After a restore: what the owner of the function had yet to do is asked of it again. */
    void resume() {
        if ((recovering || consented()) && function.get() != null) {
            tell(consented());
        }
    }

    @Override
    public long readConfig(int offset, int width) {
        if (!legal(offset, width)) {
            return Bus.allOnes(width);
        }
        return offset >= Type0Header.SPACE_SIZE ? 0 : config.read(offset, width);
    }

    @Override
    public void writeConfig(int offset, int width, long value) {
        if (!legal(offset, width) || offset >= Type0Header.SPACE_SIZE) {
            return;
        }
        int dword = offset & ~3;
        if (dword == Type0Header.COMMAND
                || dword == (Type1Header.BRIDGE_CONTROL & ~3)
                || ForwardingWindows.at(dword)
                || slot.controls(dword)
                || msi.covers(dword)) {
            long[] changed = new long[1];
            change(
                    () -> {
                        changed[0] = config.write(offset, width, value) << 8 * (offset & 3);
                        slot.written(offset, width);
                    });
            if (dword == Type0Header.COMMAND
                    && (changed[0] & Type0Header.COMMAND_BUS_MASTER) != 0) {
                function().ifPresent(present -> present.handler().interruptsChanged());
            }
        } else {
            config.write(offset, width, value);
        }
    }

    private boolean legal(int offset, int width) {
        boolean legal = ConfigSpace.legal(offset, width);
        if (!legal) {
            errors.add("configuration access of %d bytes at 0x%x", width, offset);
        }
        return legal;
    }

    /** Mistakes of the guest so far. */
    public long guestErrors() {
        return errors.count();
    }

    /**
     * What answers at a bus number behind the port, if the port forwards that number.
     *
     * @param number bus, device and function in 16 bits
     * @return null if nothing answers there
     */
    ConfigTarget behind(int number) {
        boolean first = number == busNumber(Type1Header.SECONDARY_BUS) << 8;
        PciFunction present = function.get();
        return first && present != null && secondary.linked() ? present : null;
    }

    /** Whether configuration accesses to a bus number go down this port. */
    boolean forwards(int bus) {
        return bus != 0
                && bus >= busNumber(Type1Header.SECONDARY_BUS)
                && bus <= busNumber(Type1Header.SUBORDINATE_BUS);
    }

    private int busNumber(int register) {
        return (int) config.read(register, 1);
    }

    private boolean busMaster() {
        return config.any(Type0Header.COMMAND, Type0Header.COMMAND_BUS_MASTER);
    }

    /** Changes registers in one step; the link, BARs and interrupts follow. */
    private void change(Runnable step) {
        List<Boolean> news = new ArrayList<>();
        bridge.rearrange(
                () -> {
                    boolean before = consented();
                    step.run();
                    boolean lost = follow();
                    if (lost || consented() && !before) {
                        news.add(consented());
                    }
                });
        afterwards();
        news.forEach(this::tell);
    }

    /** Whether the guest took the link of a function down. */
    private boolean follow() {
        PciFunction present = function.get();
        boolean reset = config.any(Type1Header.BRIDGE_CONTROL, Type1Header.CONTROL_SECONDARY_RESET);
        boolean was = slot.linkActive();
        arrived &= !slot.powered();
        boolean on = slot.powered() || arrived;
        boolean mayBe = present != null && slot.present() && on && !slot.linkDisabled() && !reset;
        boolean lost = was && present != null && !mayBe;
        recovering |= lost;
        slot.link(mayBe && !recovering);
        if (present != null) {
            present.registers().forEach(BaseAddressRegister::settle);
        }
        interrupts.looked();
        return lost;
    }

    private void afterwards() {
        PciFunction present = function.get();
        if (present != null) {
            present.interruptsChanged();
        }
        interrupts.send();
    }

    private void tell(boolean consented) {
        Occupant listener = occupant;
        PciFunction present = function.get();
        if (listener != null) {
            listener.linkLost(consented);
        } else if (present != null) {
            present.reset();
            recovered();
        }
    }

    /** The link, as the function behind it sees it. */
    private final class SecondaryBus implements PciBus {
        @Override
        public int number() {
            return busNumber(Type1Header.SECONDARY_BUS);
        }

        @Override
        public boolean integrated() {
            return false;
        }

        @Override
        public List<Aperture> apertures(PciShape.BarKind kind) {
            return linked() ? windows.apertures(kind, bridge.windows()) : List.of();
        }

        @Override
        public List<Aperture> firmwareApertures(PciShape.Bar bar) {
            return linked() ? windows.firmwareApertures(bar, bridge.windows()) : List.of();
        }

        @Override
        public boolean linked() {
            return slot.linkActive();
        }

        @Override
        public boolean forwardsRequests() {
            return linked() && busMaster();
        }

        @Override
        public void pin(PciFunction from, int pin, boolean high) {
            // One that has left may still be on its way to lower what is another's now.
            if (function.get() == from) {
                interrupts.ofFunction(pin, high);
            }
        }

        @Override
        public Lease onPinFinished(PciFunction from, int pin, Runnable listener) {
            return bridge.onPinFinished(device, pin, listener);
        }

        @Override
        public Optional<Lease> routePin(
                PciFunction from, int pin, EventFd trigger, EventFd resample) {
            return bridge.routePin(device, pin, trigger, resample);
        }

        @Override
        public void left(PciFunction leaving) {
            if (function.compareAndSet(leaving, null)) {
                asked = false;
                recovering = false;
                arrived = false;
                slot.present(false);
                follow();
                interrupts.noFunction();
            }
        }

        @Override
        public void changed() {
            afterwards();
        }

        @Override
        public String name() {
            return "port " + slotNumber;
        }
    }
}
