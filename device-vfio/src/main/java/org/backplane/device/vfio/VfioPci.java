package org.backplane.device.vfio;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.backplane.pci.ConfigDevice;
import org.backplane.pci.InterruptSwitches;
import org.backplane.pci.PciDevice;
import org.backplane.pci.PciShape;
import org.backplane.pci.PciWires;
import org.backplane.pci.PinStatus;
import org.backplane.pci.Type0Header;
import org.backplane.vfio.VfioDevice;
import org.backplane.vfio.VfioException;

/**
 * A function whose device is elsewhere. Registers go through one by one, where they are not mapped;
 * interrupts come by eventfds; DMA is the transport's. The device works on while this code is
 * replaced: it is the slot's, with its eventfds and maps, and a swap neither resets it nor switches
 * anything in it.
 *
 * <p>The device's memory and I/O decoding are on all the time, whatever the guest's COMMAND says:
 * where the guest sees the BARs is the slot's business. Bus mastering follows the guest.
 */
final class VfioPci implements PciDevice, ConfigDevice, InterruptSwitches, PinStatus {
    private static final Logger LOG = System.getLogger(VfioPci.class.getName());

    /** All of the register but what is switched here. */
    private static final int COMMAND_OF_THE_HOST =
            0xffff
                    & ~(Type0Header.COMMAND_IO
                            | Type0Header.COMMAND_MEMORY
                            | Type0Header.COMMAND_BUS_MASTER
                            | Type0Header.COMMAND_INTX_DISABLE);

    private final DeviceContext context;
    private final String slot;
    private final VfioDevice device;
    private final PciShape shape;
    private final InterruptPaths interrupts;
    private final BarAccess memory;
    private final Presence presence;
    private final HostNotices notices;
    private final SaveSupport saveSupport;

    /** Times that the host did not take over what the guest switched. */
    private final AtomicLong refusals = new AtomicLong();

    /** May fail by the host's fault, or by the device's. */
    @FunctionalInterface
    private interface Step {
        void run() throws DeviceException, VfioException;
    }

    private PciWires wires;
    private boolean restored;
    private boolean busMaster;

    VfioPci(DeviceContext context, VfioDevice device, PciShape shape) throws DeviceException {
        slot = context.slot();
        this.device = device;
        this.shape = shape;
        this.context = context;
        int vectors = shape.msix().map(PciShape.Msix::vectors).orElse(0);
        Events events = new Events(context, vectors);
        interrupts = new InterruptPaths(device, events, vectors);
        memory = new BarAccess(device, shape.bars());
        notices = new HostNotices(context, device, events);
        presence = new Presence(context, device, this::lost, this::known, this::found);
        saveSupport =
                new SaveSupport.Saveable(
                        this::save,
                        this::restore,
                        Optional.of(
                                "%s is outside of the machine and keeps a state that cannot be read; unplug it first"
                                        .formatted(device.name())));
    }

    @Override
    public PciShape shape() {
        return shape;
    }

    @Override
    public void wired(PciWires handedOver) {
        wires = handedOver;
        interrupts.wired(wires);
        memory.map(wires);
    }

    @Override
    public void start() throws DeviceException {
        if (restored) {
            interrupts.rewire();
        } else {
            quiet();
            try {
                command();
            } catch (VfioException e) {
                throw new DeviceException("Slot '%s': %s".formatted(slot, e.getMessage()), e);
            }
        }
        if (!restored) {
            memory.trapped().forEach(this::trapped);
        }
        notices.start(!restored);
        presence.start();
    }

    private void trapped(String clause) {
        String detail = device.name() + ": " + clause;
        LOG.log(Level.WARNING, () -> slot + ": " + detail);
        context.tell("slower", detail);
    }

    /**
     * Switches every kind of interrupt off, whatever is known of them: the code before may have
     * failed without telling what it left on. A kind that is off refuses that, which is no fault.
     */
    private void quiet() {
        interrupts.forget();
        for (int irq : new int[] {VfioDevice.INTX, VfioDevice.MSI, VfioDevice.MSIX}) {
            try {
                device.disable(irq);
            } catch (VfioException off) {
                LOG.log(Level.DEBUG, () -> "%s: %s".formatted(slot, off.getMessage()));
            }
        }
    }

    @Override
    public long readBar(int bar, long offset, int width) {
        return read(bar, offset, width);
    }

    @Override
    public void writeBar(int bar, long offset, int width, long value) {
        write(bar, offset, width, value);
    }

    @Override
    public long readConfig(int offset, int width) {
        return read(VfioDevice.CONFIG, offset, width);
    }

    @Override
    public void writeConfig(int offset, int width, long value) {
        write(VfioDevice.CONFIG, offset, width, value);
    }

    /** As the device's own STATUS says; one that is away asserts nothing. */
    @Override
    public boolean pinAsserted() {
        long status = read(VfioDevice.CONFIG, Type0Header.STATUS, 2);
        return status != -1 && (status & Type0Header.STATUS_INTERRUPT) != 0;
    }

    private long read(int region, long offset, int width) {
        if (!presence.there()) {
            return -1;
        }
        try {
            return device.read(region, offset, width);
        } catch (VfioException e) {
            presence.failed(e);
            return -1;
        }
    }

    private void write(int region, long offset, int width, long value) {
        if (!presence.there()) {
            return;
        }
        try {
            device.write(region, offset, width, value);
        } catch (VfioException e) {
            presence.failed(e);
        }
    }

    @Override
    public void interruptsChanged() {
        if (!presence.there()) {
            return;
        }
        try {
            follow();
        } catch (DeviceException | VfioException e) {
            presence.look();
            refused(e);
        }
    }

    /** A guest can have it tried again as often as it likes. */
    private void refused(Exception failure) {
        long now = refusals.incrementAndGet();
        if (now == 1 && presence.there()) {
            context.tell(
                    "interrupts",
                    "%s: not all that the guest wants can be had: %s"
                            .formatted(device.name(), failure.getMessage()));
        }
        LOG.log(
                Long.bitCount(now) == 1 ? Level.WARNING : Level.DEBUG,
                () ->
                        "%s: interrupts of %s, refused %d times so far: %s"
                                .formatted(slot, device.name(), now, failure.getMessage()));
    }

    private synchronized void follow() throws DeviceException, VfioException {
        boolean wanted = wires.interrupts().busMaster();
        if (wanted != busMaster) {
            busMaster = wanted;
            command();
        }
        interrupts.follow();
    }

    /**
     * Parity, SERR# and memory write and invalidate stay as the host has them: errors go to it, and
     * its caches are meant. The pin's switch stays open; interrupts are the transport's.
     */
    private void command() throws VfioException {
        int value =
                (int) device.read(VfioDevice.CONFIG, Type0Header.COMMAND, 2) & COMMAND_OF_THE_HOST
                        | Type0Header.COMMAND_IO
                        | Type0Header.COMMAND_MEMORY
                        | (busMaster ? Type0Header.COMMAND_BUS_MASTER : 0);
        device.write(VfioDevice.CONFIG, Type0Header.COMMAND, 2, value);
    }

    /** The other end went away, and with it what was switched on there. */
    private synchronized void lost() {
        memory.unmap();
        interrupts.forget();
        busMaster = false;
    }

    /** No register of another device is the guest's to touch. */
    private void known() throws DeviceException {
        PciShape now = HostFunction.shape(slot, device);
        if (!now.equals(shape)) {
            throw new DeviceException(
                    "%s; start the server of the former device, or unplug the slot and plug it again"
                            .formatted(ShapeChange.clause(shape, now)));
        }
    }

    /**
     * The other end is back, as it is after a reset; the guest is interrupted, so that it looks.
     */
    private synchronized void found() throws VfioException {
        command();
        memory.map(wires);
        notices.arm();
        // It is the device whatever the host cannot give it, and what it could be given it has.
        afford(this::follow);
        afford(interrupts::nudge);
    }

    private void afford(Step step) throws VfioException {
        try {
            step.run();
        } catch (DeviceException e) {
            refused(e);
        }
    }

    @Override
    public void quiesce() {
        // Requests are between the guest and the device, and go on.
    }

    @Override
    public boolean idle() {
        return true;
    }

    @Override
    public void resume() {
        // Nothing was stopped.
    }

    /** The guest, or the machine's reset, wants the device as after power-on. */
    @Override
    public synchronized void reset() {
        busMaster = false;
        if (!presence.there()) {
            return;
        }
        quiet();
        // Each for itself: what comes next may be memory that is somebody else's.
        attempt(this::command);
        if (device.resettable()) {
            attempt(device::reset);
            attempt(this::command);
        }
        attempt(notices::arm);
        attempt(interrupts::pinOn);
    }

    private void attempt(Step step) {
        try {
            step.run();
        } catch (DeviceException | VfioException e) {
            LOG.log(
                    Level.WARNING,
                    () -> "%s: reset of %s: %s".formatted(slot, device.name(), e.getMessage()));
        }
    }

    @Override
    public SaveSupport saveSupport() {
        return saveSupport;
    }

    private synchronized SavedState save() {
        return new VfioState(interrupts.kind(), interrupts.vectors(), interrupts.used(), busMaster)
                .saved();
    }

    private synchronized void restore(SavedState saved) throws DeviceException {
        VfioState state = VfioState.of(saved);
        int most =
                switch (state.kind()) {
                    case NONE -> 0;
                    case INTX -> shape.interruptPin() == 0 ? 0 : 1;
                    case MSI -> shape.msi().map(PciShape.Msi::vectors).orElse(0);
                    case MSIX -> shape.msix().map(PciShape.Msix::vectors).orElse(0);
                };
        if (state.vectors() > most) {
            throw saved.damaged(
                    "%d vectors of %s are on, and the function has %d",
                    state.vectors(), state.kind(), most);
        }
        interrupts.restore(state);
        busMaster = state.busMaster();
        restored = true;
    }

    @Override
    public void close() {
        // The device is the slot's; the leases are closed by the machine.
    }
}
