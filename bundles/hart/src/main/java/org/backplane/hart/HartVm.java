package org.backplane.hart;

import java.util.ArrayList;
import java.util.List;
import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.ExitHandler;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.InterruptControllers.RiscvAia;
import org.backplane.hypervisor.Vcpu;
import org.backplane.hypervisor.Vm;
import org.backplane.hypervisor.VmSpec;
import org.backplane.linux.EventFd;
import org.backplane.memory.GuestMemory;

/** A VM of RISC-V harts. */
final class HartVm implements Vm {
    private final String name;
    private final RiscvAia layout;
    private final GuestMemory guestMemory;
    private final ExitHandler exits;
    private final GuestClock clock;
    private final CodeCache code = new CodeCache();
    private final PhysicalMemory memory;
    private final Doorbells doorbells = new Doorbells();
    private final List<InterruptFile> files = new ArrayList<>();
    private final Aplic aplic;
    private final DeviceMap devices;
    private final List<Hart> harts = new ArrayList<>();

    HartVm(VmSpec spec, RiscvAia layout, GuestMemory guestMemory, ExitHandler exits) {
        this.name = spec.name();
        this.layout = layout;
        this.guestMemory = guestMemory;
        this.exits = exits;
        clock = new GuestClock(layout.timebaseFrequency());
        memory = new PhysicalMemory(map -> forgetMemory());
        aplic = new Aplic(layout.sources(), spec.vcpus(), this::deliver);
        devices = new DeviceMap(layout, files, aplic, doorbells, exits);
        for (int i = 0; i < spec.vcpus(); i++) {
            Hart hart = new Hart(i, this);
            harts.add(hart);
            files.add(hart.interrupts().file());
        }
        guestMemory.addListener(memory);
    }

    String name() {
        return name;
    }

    RiscvAia layout() {
        return layout;
    }

    Aplic aplic() {
        return aplic;
    }

    int identities() {
        return layout.identities();
    }

    GuestClock clock() {
        return clock;
    }

    CodeCache code() {
        return code;
    }

    PhysicalMemory memory() {
        return memory;
    }

    DeviceMap devices() {
        return devices;
    }

    ExitHandler exits() {
        return exits;
    }

    /** The hart of an id as SBI knows it, or null. */
    Hart hart(long id) {
        return id >= 0 && id < harts.size() ? harts.get((int) id) : null;
    }

    @Override
    public List<Vcpu> vcpus() {
        return List.copyOf(harts);
    }

    /** Whether hart i is meant by an SBI hart mask (SBI 2.0, section 3.1). */
    private static boolean meant(int i, long mask, long base) {
        return base == -1 || i >= base && i - base < Long.SIZE && (mask >>> (i - base) & 1) != 0;
    }

    /** Whether every hart of a mask exists. */
    private boolean exist(long mask, long base) {
        if (base == -1 || mask == 0) {
            return true;
        }
        long last = base + Long.SIZE - 1 - Long.numberOfLeadingZeros(mask);
        return base >= 0 && last < harts.size();
    }

    /** Sends inter-processor interrupts; false if the mask names a hart there is not. */
    boolean raise(long mask, long base) {
        if (!exist(mask, base)) {
            return false;
        }
        for (int i = 0; i < harts.size(); i++) {
            if (meant(i, mask, base)) {
                harts.get(i).interrupts().raiseSoftware();
            }
        }
        return true;
    }

    /**
     * Has harts forget, and returns once they did; on the thread of the hart that asks.
     *
     * @return false if the mask names a hart there is not
     */
    boolean fence(Hart asking, long mask, long base, Fence fence) {
        if (!exist(mask, base)) {
            return false;
        }
        long[] tickets = new long[harts.size()];
        for (int i = 0; i < tickets.length; i++) {
            if (meant(i, mask, base)) {
                if (i == asking.index()) {
                    asking.fence(fence);
                } else {
                    tickets[i] = ask(harts.get(i), fence);
                }
            }
        }
        for (int i = 0; i < tickets.length; i++) {
            if (tickets[i] != 0) {
                harts.get(i).mailbox().await(tickets[i], asking::serveFences);
            }
        }
        return true;
    }

    private static long ask(Hart hart, Fence fence) {
        long ticket = hart.mailbox().ask(fence);
        if (!hart.mailbox().away()) {
            // It may be parked in a fence of its own, and has to serve this one meanwhile.
            hart.wake();
        }
        return ticket;
    }

    /** Has every hart forget what it knows of memory; on any thread, a hart's included. */
    private void forgetMemory() {
        code.newGeneration();
        long[] tickets = new long[harts.size()];
        for (int i = 0; i < tickets.length; i++) {
            tickets[i] = ask(harts.get(i), Fence.ALL);
        }
        for (int i = 0; i < tickets.length; i++) {
            harts.get(i).mailbox().await(tickets[i], () -> {});
        }
    }

    private void deliver(int hart, int identity) {
        files.get(hart).deliver(identity);
    }

    @Override
    public void setLine(int source, boolean high) {
        aplic.setLine(source, high);
    }

    @Override
    public Lease onResample(int source, Runnable listener) {
        return aplic.onResample(source, listener);
    }

    @Override
    public void signalMsi(long address, int data) {
        devices.storeMessage(address, Integer.BYTES, data & 0xffffffffL);
    }

    @Override
    public Lease doorbell(long address, int width, EventFd event) throws HypervisorException {
        return doorbells.add(address, width, event);
    }

    @Override
    public void stopTime() {
        clock.stop();
    }

    @Override
    public void startTime() {
        clock.start();
    }

    @Override
    public long guestTime() {
        return clock.nanos();
    }

    @Override
    public void reset() {
        harts.forEach(Hart::reset);
        aplic.reset();
        code.clear();
    }

    @Override
    public SavedState save() {
        if (!clock.stopped()) {
            throw new IllegalStateException("guest time runs: stop it before the state is saved");
        }
        requireStill();
        List<HartRecord> records = harts.stream().map(Hart::save).toList();
        return new VmRecord(clock.nanos(), aplic.save(), records).state(layout);
    }

    private void requireStill() {
        for (Hart hart : harts) {
            if (!hart.mailbox().away()) {
                throw new IllegalStateException("hart " + hart.index() + " is in its run loop");
            }
        }
    }

    @Override
    public void restore(SavedState state) throws HypervisorException {
        requireStill();
        VmRecord saved = VmRecord.read(state, harts.size(), layout);
        clock.stopAt(saved.guestTime());
        aplic.restore(saved.aplic());
        for (int i = 0; i < harts.size(); i++) {
            harts.get(i).restore(saved.harts().get(i));
        }
        code.clear();
    }

    @Override
    public void close() {
        guestMemory.removeListener(memory);
    }
}
