package org.backplane.kvm;

import static org.backplane.kvm.KvmAbi.*;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.DirtyLog;
import org.backplane.hypervisor.EventRoutes;
import org.backplane.hypervisor.ExitHandler;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.InterruptControllers.X86;
import org.backplane.hypervisor.Vcpu;
import org.backplane.hypervisor.Vm;
import org.backplane.hypervisor.VmSpec;
import org.backplane.linux.EventFd;
import org.backplane.linux.Fd;
import org.backplane.memory.GuestMemory;

/** A VM of KVM's. */
final class KvmVm implements Vm {
    private static final Logger LOG = System.getLogger(KvmVm.class.getName());

    private final String name;
    private final KvmFd fd;
    private final AtomicLong lostMessages = new AtomicLong();
    private final MemorySlots memory;
    private final Chipset chipset;
    private final InterruptRoutes routes;
    private final Resampling resampling;
    private final Doorbells doorbells;
    private final AssignedDevices assigned;
    private final List<KvmVcpu> processors = new ArrayList<>();
    private final GuestTime time;

    /** What {@link #reset} goes back to. */
    private final VmRecord initial;

    /** Closed backwards. */
    private final Deque<Runnable> held = new ArrayDeque<>();

    /** Guards the argument of each; both are for any thread, and too many to make one a call. */
    private final Struct line;

    private final Struct message;

    /**
     * @param device stays the caller's, who may close it once this returns
     */
    KvmVm(
            KvmDevice device,
            Kind kind,
            VmSpec spec,
            X86 where,
            GuestMemory guestMemory,
            ExitHandler exits)
            throws HypervisorException {
        name = spec.name();
        fd = device.createVm(name);
        held.push(fd::close);
        try {
            line = held(Struct.of(IRQ_LEVEL_BYTES));
            message = held(Struct.of(MSI_BYTES));
            chipset = new Chipset(fd, where);
            routes = new InterruptRoutes(fd::call, device.capability(KVM_CAP_IRQ_ROUTING));
            resampling = new Resampling(spec.name(), routes);
            held.push(resampling::close);
            doorbells = new Doorbells(fd);
            assigned = new AssignedDevices(fd);
            held.push(assigned::close);
            VcpuMaker maker = new VcpuMaker(device, fd, spec, exits, kind);
            for (int i = 0; i < spec.vcpus(); i++) {
                KvmVcpu processor = maker.make(i);
                held.push(processor::close);
                processors.add(processor);
            }
            time = new GuestTime(fd, processors);
            initial = record(0);
            memory = new MemorySlots(fd);
            guestMemory.addListener(memory);
            held.push(() -> guestMemory.removeListener(memory));
        } catch (HypervisorException | RuntimeException e) {
            close();
            throw e;
        }
    }

    private Struct held(Struct struct) {
        held.push(struct::close);
        return struct;
    }

    @Override
    public List<Vcpu> vcpus() {
        return List.copyOf(processors);
    }

    @Override
    public void setLine(int source, boolean high) {
        synchronized (line) {
            line.u32(IRQ_LEVEL_IRQ, source).u32(IRQ_LEVEL_LEVEL, high ? 1 : 0);
            told(KVM_IRQ_LINE, fd.attempt(KVM_IRQ_LINE, line.address()), source, high ? 1 : 0);
        }
    }

    @Override
    public void signalMsi(long address, int data) {
        if (!InterruptRoutes.reachesLocalApics(address)) {
            lost(address, data);
            return;
        }
        synchronized (message) {
            message.u32(MSI_ADDRESS_LOW, (int) address)
                    .u32(MSI_ADDRESS_HIGH, (int) (address >>> 32))
                    .u32(MSI_DATA, data);
            int result = fd.attempt(KVM_SIGNAL_MSI, message.address());
            if (result == -KvmFd.EPERM) {
                // KVM's word for: no processor is addressed.
                lost(address, data);
            } else {
                told(KVM_SIGNAL_MSI, result, address, data);
            }
        }
    }

    /** A mistake of the guest, who chose both. Told at the 1st, 2nd, 4th, 8th .. time. */
    private void lost(long address, int data) {
        long count = lostMessages.incrementAndGet();
        if (Long.bitCount(count) == 1) {
            LOG.log(
                    Level.DEBUG,
                    () ->
                            "%s: the message 0x%x to 0x%x reaches no processor; %d did not so far"
                                    .formatted(name, data, address, count));
        }
    }

    /** An interrupt of a VM that is being closed reaches nobody, and that is no failure. */
    private void told(long request, int result, long first, long second) {
        if (result < 0 && result != -KvmFd.EBADF) {
            String arguments = "0x%x, 0x%x".formatted(first, second);
            throw new IllegalStateException(fd.failure(request, arguments, -result).getMessage());
        }
    }

    @Override
    public Lease onResample(int source, Runnable listener) {
        try {
            return resampling.on(source, listener);
        } catch (HypervisorException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    @Override
    public Lease doorbell(long address, int width, EventFd event) throws HypervisorException {
        return doorbells.add(address, width, event);
    }

    @Override
    public Optional<EventRoutes> eventRoutes() {
        return Optional.of(routes);
    }

    @Override
    public Lease assign(Fd device) throws HypervisorException {
        return assigned.assign(device);
    }

    @Override
    public Optional<DirtyLog> dirtyLog() {
        return Optional.of(memory);
    }

    /** What KVM does only if the host is in trouble, or this engine has a defect. */
    private interface Step {
        void take() throws HypervisorException;
    }

    private static void unfailing(Step step) {
        try {
            step.take();
        } catch (HypervisorException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    @Override
    public void stopTime() {
        requireStill();
        unfailing(time::stop);
    }

    @Override
    public void startTime() {
        requireStill();
        unfailing(time::start);
    }

    @Override
    public long guestTime() {
        try {
            return time.nanos();
        } catch (HypervisorException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    /** The time-stamp counters go on with guest time. */
    @Override
    public void reset() {
        requireStill();
        unfailing(() -> set(initial));
    }

    private void set(VmRecord record) throws HypervisorException {
        chipset.restore(record.chipset());
        for (int i = 0; i < processors.size(); i++) {
            processors.get(i).restore(record.processors().get(i));
        }
    }

    @Override
    public SavedState save() throws HypervisorException {
        if (!time.stopped()) {
            throw new IllegalStateException("guest time runs: stop it before the state is saved");
        }
        requireStill();
        return record(time.nanos()).state();
    }

    private VmRecord record(long nanos) throws HypervisorException {
        List<VcpuRecord> records = new ArrayList<>();
        for (KvmVcpu processor : processors) {
            VcpuRecord record = processor.save();
            records.add(time.stopped() ? record.withTsc(time.counter(processor.index())) : record);
        }
        return new VmRecord(nanos, chipset.save(), List.copyOf(records));
    }

    /** KVM answers nothing of a processor that runs before that comes out. */
    private void requireStill() {
        for (KvmVcpu processor : processors) {
            if (!processor.still()) {
                throw new IllegalStateException(
                        "processor " + processor.index() + " is in its run loop");
            }
        }
    }

    @Override
    public void restore(SavedState state) throws HypervisorException {
        requireStill();
        VmRecord saved = VmRecord.read(state, processors.size());
        try {
            set(saved);
        } catch (HypervisorException e) {
            set(initial);
            throw e;
        }
        time.stopAt(
                saved.guestTime(),
                saved.processors().stream().mapToLong(VcpuRecord::tsc).toArray());
    }

    @Override
    public void close() {
        while (!held.isEmpty()) {
            held.pop().run();
        }
    }
}
