package org.backplane.machine.slot;

import java.io.UncheckedIOException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.backplane.bus.ClaimException;
import org.backplane.bus.IoHandler;
import org.backplane.bus.Placement;
import org.backplane.bus.RegionLease;
import org.backplane.bus.Space;
import org.backplane.device.DeviceException;
import org.backplane.device.context.Console;
import org.backplane.device.context.DeviceContext;
import org.backplane.device.context.FirmwareNode;
import org.backplane.device.context.InterruptLine;
import org.backplane.device.context.Lease;
import org.backplane.device.context.TimerLease;
import org.backplane.device.context.Watch;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.Vm;
import org.backplane.linux.Epoll;
import org.backplane.linux.Fd;
import org.backplane.linux.LinuxException;
import org.backplane.machine.MachineException;
import org.backplane.machine.board.InterruptLines;
import org.backplane.machine.board.LeaseStack;
import org.backplane.machine.console.HostConsole;
import org.backplane.memory.MemoryChanges;
import org.backplane.memory.MemoryView;
import org.backplane.pci.VectorTriggers;

/**
 * One version of a device in its slot: what it was handed. In a swap two attachments exist, and
 * only the current one has its handlers, lines, timers and watches connected; {@link #connect} and
 * {@link #disconnect} are called with the gate closed, or before it first opens.
 */
final class Attachment implements DeviceContext, AutoCloseable {
    private final SlotGear gear;
    private final SlotEnvironment environment;
    private final LeaseStack leases;
    private final MemoryView memory;
    private final List<Switchable> switchables = new ArrayList<>();
    private int regionsTaken;
    private int linesTaken;
    private boolean connected;
    private FirmwareNode node;

    /** Something that acts only while its attachment is the slot's current one. */
    interface Switchable {
        void connect();

        void disconnect();
    }

    Attachment(SlotGear gear, SlotEnvironment environment) {
        this.gear = gear;
        this.environment = environment;
        leases = new LeaseStack(gear.name());
        memory = gear.board().memory().view(gear.name());
        leases.push("memory view", memory::revoke);
    }

    synchronized void connect() {
        connected = true;
        switchables.forEach(Switchable::connect);
    }

    synchronized void disconnect() {
        // What was never connected must not be cut: the slot's regions are shared with the
        // attachment that is.
        if (connected) {
            connected = false;
            switchables.forEach(Switchable::disconnect);
        }
    }

    synchronized <T extends Switchable> T add(T switchable) {
        switchables.add(switchable);
        if (connected) {
            switchable.connect();
        }
        return switchable;
    }

    private synchronized void remove(Switchable switchable) {
        if (switchables.remove(switchable) && connected) {
            switchable.disconnect();
        }
    }

    /** Lends a switchable until the device, or the slot, closes it. */
    private Lease lend(String name, Switchable switchable) {
        add(switchable);
        return new StackedLease(name, () -> remove(switchable));
    }

    /** A lease of the device's stack that the device may also close itself. */
    private final class StackedLease implements Lease {
        private final AutoCloseable entry;

        StackedLease(String name, AutoCloseable onClose) {
            entry = leases.push(name, onClose);
        }

        @Override
        public void close() {
            leases.release(entry);
        }
    }

    FirmwareNode node() {
        return node;
    }

    List<String> leaseNames() {
        return leases.names();
    }

    /** Wraps a device's callback: through the gate, only while current, contained. */
    private Runnable gated(Runnable callback) {
        return () -> {
            Gate gate = gear.gate();
            long ticket = gate.enter();
            if (ticket < 0) {
                return;
            }
            Throwable thrown = null;
            try {
                boolean current;
                synchronized (this) {
                    current = connected;
                }
                if (current) {
                    callback.run();
                    gear.board().memory().raiseFault();
                }
            } catch (Throwable e) {
                thrown = e;
            }
            if (gate.leave(ticket) && thrown != null) {
                gear.failed().accept(thrown, ticket);
            }
        };
    }

    /** What carries the device's eventfds to its vectors, until the slot or the device ends it. */
    VectorTriggers triggers() {
        return (event, signalled) -> {
            var trigger =
                    new EngineTrigger(
                            gear.name(),
                            gear.board().vm().eventRoutes(),
                            environment.events(),
                            event,
                            signalled);
            return new StackedTrigger(leases.push("trigger", trigger));
        };
    }

    /** Leaves the device's stack when it is closed: guests switch vectors on and off at will. */
    private final class StackedTrigger implements VectorTriggers.Trigger {
        private final EngineTrigger trigger;

        StackedTrigger(EngineTrigger trigger) {
            this.trigger = trigger;
        }

        @Override
        public void deliver(long address, int data) {
            trigger.deliver(address, data);
        }

        @Override
        public void report() {
            trigger.report();
        }

        @Override
        public void hold() {
            trigger.hold();
        }

        @Override
        public void close() {
            leases.release(trigger);
        }
    }

    @Override
    public String machine() {
        return environment.machine();
    }

    @Override
    public String slot() {
        return gear.name();
    }

    @Override
    public String kind() {
        return gear.spec().kind();
    }

    @Override
    public Map<String, String> settings() {
        return gear.spec().deviceSettings();
    }

    @Override
    public MemoryView memory() {
        return memory;
    }

    @Override
    public RegionLease region(Space space, long size, Placement placement, IoHandler handler)
            throws ClaimException {
        SlotRegions.Region region =
                environment.regions().take(regionsTaken++, space, size, placement);
        add(
                new Switchable() {
                    @Override
                    public void connect() {
                        region.handler().connect(handler);
                    }

                    @Override
                    public void disconnect() {
                        region.handler().connect(null);
                    }
                });
        return region.lease();
    }

    @Override
    public InterruptLine line() throws DeviceException {
        try {
            return lent(environment.lines().input(linesTaken++));
        } catch (MachineException e) {
            throw new DeviceException(e.getMessage(), e);
        }
    }

    @Override
    public InterruptLine line(int source) throws DeviceException {
        try {
            return lent(environment.lines().input(linesTaken++, source));
        } catch (MachineException e) {
            throw new DeviceException(e.getMessage(), e);
        }
    }

    private InterruptLine lent(InterruptLines.Input input) {
        var line = new Line(input);
        add(line);
        leases.push("interrupt line", line::close);
        return line;
    }

    private final class Line implements Switchable, InterruptLine {
        private final InterruptLines.Input input;
        private boolean level;
        private boolean driving;

        Line(InterruptLines.Input input) {
            this.input = input;
        }

        @Override
        public synchronized void set(boolean high) {
            level = high;
            if (driving) {
                input.set(high);
            }
        }

        @Override
        public synchronized void connect() {
            driving = true;
            input.set(level);
        }

        @Override
        public synchronized void disconnect() {
            driving = false;
            input.set(false);
        }

        @Override
        public void close() {
            remove(this);
        }
    }

    @Override
    public Console console() throws DeviceException {
        HostConsole host;
        try {
            host = environment.consoles().get(settings().getOrDefault("console", "none"));
        } catch (UncheckedIOException e) {
            throw new DeviceException(e.getMessage(), e);
        }
        return new Console() {
            @Override
            public void write(int octet) {
                host.write(octet);
            }

            @Override
            public int read() {
                return host.read();
            }

            @Override
            public Lease onInput(Runnable arrived) {
                Runnable callback = gated(arrived);
                Runnable listener = () -> environment.events().post(callback);
                return lend(
                        "console input",
                        new Switchable() {
                            @Override
                            public void connect() {
                                host.listen(listener);
                            }

                            @Override
                            public void disconnect() {
                                host.unlisten(listener);
                            }
                        });
            }
        };
    }

    @Override
    public Clock wallClock() {
        return Clock.systemUTC();
    }

    @Override
    public long guestTime() {
        return gear.board().vm().guestTime();
    }

    @Override
    public TimerLease timer(Runnable expired) {
        var timer = new Timer();
        timer.timer =
                environment
                        .events()
                        .timer(
                                gated(
                                        () -> {
                                            if (timer.fires()) {
                                                expired.run();
                                            }
                                        }));
        add(timer);
        leases.push("timer", timer::close);
        return timer;
    }

    private final class Timer implements Switchable, TimerLease {
        private static final long DISARMED = Long.MAX_VALUE;

        private EventLoop.Timer timer;
        private long deadline = DISARMED;
        private boolean running;

        /** Looks again: the device may have set it anew while the callback was at the gate. */
        synchronized boolean fires() {
            if (deadline > guestTime()) {
                return false;
            }
            deadline = DISARMED;
            return true;
        }

        @Override
        public synchronized void arm(long guestTime) {
            deadline = guestTime;
            if (running) {
                timer.set(deadline);
            }
        }

        @Override
        public synchronized void disarm() {
            arm(DISARMED);
        }

        @Override
        public synchronized void connect() {
            running = true;
            timer.set(deadline);
        }

        @Override
        public synchronized void disconnect() {
            running = false;
            timer.set(DISARMED);
        }

        @Override
        public void close() {
            remove(this);
            timer.close();
        }
    }

    @Override
    public <T extends AutoCloseable> T kept(String name, Class<T> type, Opener<T> opener)
            throws DeviceException {
        return environment.kept().get(name, type, opener);
    }

    @Override
    public <T extends AutoCloseable> T shared(String name, Class<T> type, Opener<T> opener)
            throws DeviceException {
        return environment.kept().shared(name, type, opener);
    }

    @Override
    public Lease assignHostDevice(Fd device) throws DeviceException {
        try {
            Vm.Lease assigned = gear.board().vm().assign(device);
            return new StackedLease("host device", assigned);
        } catch (HypervisorException e) {
            throw new DeviceException(e.getMessage(), e);
        }
    }

    @Override
    public MemoryChanges memoryChanges() {
        return gear.board().memory();
    }

    @Override
    public Watch onReadable(Fd descriptor, Runnable work) {
        var watch = new DescriptorWatch(descriptor, Epoll.READABLE, true, work);
        return watch.lent();
    }

    @Override
    public Watch onWritable(Fd descriptor, Runnable work) {
        var watch = new DescriptorWatch(descriptor, Epoll.WRITABLE, false, work);
        return watch.lent();
    }

    /** In the event loop's set while it is neither suspended nor cut off. */
    private final class DescriptorWatch implements Switchable, Watch {
        private final Fd descriptor;
        private final int direction;
        private final Runnable callback;
        private boolean wanted;
        private boolean switchedOn;
        private EventLoop.Watch watch;
        private AutoCloseable entry;

        DescriptorWatch(Fd descriptor, int direction, boolean wanted, Runnable work) {
            this.descriptor = descriptor;
            this.direction = direction;
            this.wanted = wanted;
            // Looks again: the device may have suspended it while the callback was at the gate.
            callback =
                    gated(
                            () -> {
                                if (wanted()) {
                                    work.run();
                                }
                            });
        }

        Watch lent() {
            entry = leases.push("watch", () -> remove(this));
            add(this);
            return this;
        }

        private synchronized boolean wanted() {
            return wanted;
        }

        @Override
        public synchronized void suspend() {
            wanted = false;
            settle();
        }

        @Override
        public synchronized void resume() {
            wanted = true;
            settle();
        }

        @Override
        public synchronized void connect() {
            switchedOn = true;
            settle();
        }

        @Override
        public synchronized void disconnect() {
            switchedOn = false;
            settle();
        }

        private void settle() {
            boolean watching = wanted && switchedOn;
            if (!watching && watch != null) {
                watch.close();
                watch = null;
            } else if (watching && watch == null) {
                try {
                    watch = environment.events().watch(descriptor, direction, callback);
                } catch (LinuxException e) {
                    gear.failedNow(e);
                }
            }
        }

        @Override
        public void close() {
            leases.release(entry);
        }
    }

    @Override
    public void tell(String what, String detail) {
        gear.history().told(what, detail);
    }

    @Override
    public void power(PowerRequest request) {
        environment.power().accept(request);
    }

    @Override
    public void exit(int status) {
        environment.exit().accept(status);
    }

    @Override
    public void describe(FirmwareNode description) {
        node = description;
    }

    @Override
    public void close() {
        disconnect();
        leases.close();
    }
}
