package org.backplane.testkit;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.backplane.bus.AddressAllocator;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Bus;
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
import org.backplane.linux.Fd;
import org.backplane.memory.GuestMemory;
import org.backplane.memory.MemoryChanges;
import org.backplane.memory.MemoryView;

/**
 * A slot for the test of one device bundle: regions on a real bus, a view of real guest memory,
 * time, console and readiness driven by the test, and a record of what the device asked for.
 *
 * <p>There are no workers: callbacks run on the test's thread, from {@link #advanceTo}, {@link
 * ManualConsole#type} and {@link #readable}. A test of a swap closes the old device, calls {@link
 * #unplugDevice} and creates the next one with the same context; {@link #close} is the end of the
 * slot.
 */
public final class FakeDeviceContext implements DeviceContext, AutoCloseable {
    private static final AddressRange IO_WINDOW = new AddressRange(0, 0x1_0000);
    private static final AddressRange MMIO_WINDOW = new AddressRange(0x1000_0000, 0x1000_0000);

    private record HeldRegion(Space space, RegionLease lease, Redirect redirect) {}

    private record Kept(Class<?> type, AutoCloseable resource) {}

    private final String slot;
    private final String kind;
    private final Map<String, String> settings;
    private final Optional<GuestMemory> guestMemory;
    private final Bus bus = new Bus();
    private final AddressAllocator ioWindow = bus.addWindow("io", Space.IO, IO_WINDOW);
    private final AddressAllocator mmioWindow = bus.addWindow("mmio", Space.MMIO, MMIO_WINDOW);
    private final ManualConsole console = new ManualConsole();
    private final List<HeldRegion> regions = new ArrayList<>();
    private final List<RecordedLine> lines = new ArrayList<>();
    private final List<ManualTimer> timers = new ArrayList<>();
    private final List<ManualWatch> watches = new ArrayList<>();
    private final List<Fd> assigned = new ArrayList<>();
    private final List<Lease> leases = new ArrayList<>();
    private final Map<String, Kept> kept = new LinkedHashMap<>();
    private final List<String> told = new ArrayList<>();
    private final List<PowerRequest> powerRequests = new ArrayList<>();
    private final List<Integer> exitStatuses = new ArrayList<>();
    private final List<FirmwareNode> nodes = new ArrayList<>();
    private MemoryView memory;
    private long guestTime;
    private Instant wallTime = Instant.parse("2026-01-01T00:00:00Z");

    /** A slot without guest memory. */
    public FakeDeviceContext(String slot, String kind, Map<String, String> settings) {
        this(slot, kind, settings, Optional.empty());
    }

    /** A slot with the caller's guest memory; the caller closes it. */
    public FakeDeviceContext(
            String slot, String kind, Map<String, String> settings, GuestMemory memory) {
        this(slot, kind, settings, Optional.of(memory));
    }

    private FakeDeviceContext(
            String slot, String kind, Map<String, String> settings, Optional<GuestMemory> memory) {
        this.slot = slot;
        this.kind = kind;
        this.settings = Map.copyOf(settings);
        this.guestMemory = memory;
    }

    /** Always the same: {@code machine}. */
    @Override
    public String machine() {
        return "machine";
    }

    @Override
    public String slot() {
        return slot;
    }

    @Override
    public String kind() {
        return kind;
    }

    @Override
    public Map<String, String> settings() {
        return settings;
    }

    @Override
    public synchronized MemoryView memory() {
        if (memory == null) {
            memory =
                    guestMemory
                            .orElseThrow(
                                    () -> new IllegalStateException("the slot has no guest memory"))
                            .view(slot);
        }
        return memory;
    }

    @Override
    public synchronized RegionLease region(
            Space space, long size, Placement placement, IoHandler handler) throws ClaimException {
        for (HeldRegion held : regions) {
            if (held.redirect.vacant()
                    && held.space == space
                    && held.lease.range().size() == size) {
                held.redirect.to(handler);
                return held.lease;
            }
        }
        Redirect redirect = new Redirect();
        redirect.to(handler);
        AddressAllocator window = space == Space.IO ? ioWindow : mmioWindow;
        RegionLease lease = bus.claim(window, slot, size, placement, redirect);
        regions.add(new HeldRegion(space, lease, redirect));
        return lease;
    }

    @Override
    public synchronized InterruptLine line() {
        return line(RecordedLine.ANY);
    }

    @Override
    public synchronized InterruptLine line(int source) {
        RecordedLine[] self = new RecordedLine[1];
        self[0] = new RecordedLine(source, () -> forget(self[0]));
        lines.add(self[0]);
        return lease(self[0]);
    }

    @Override
    public Console console() {
        return console;
    }

    @Override
    public Clock wallClock() {
        return new Clock() {
            @Override
            public ZoneId getZone() {
                return ZoneOffset.UTC;
            }

            @Override
            public Clock withZone(ZoneId zone) {
                return Clock.fixed(instant(), zone);
            }

            @Override
            public Instant instant() {
                return wallTime();
            }
        };
    }

    @Override
    public synchronized long guestTime() {
        return guestTime;
    }

    @Override
    public synchronized TimerLease timer(Runnable expired) {
        ManualTimer[] self = new ManualTimer[1];
        self[0] = new ManualTimer(expired, () -> forget(self[0]));
        timers.add(self[0]);
        return lease(self[0]);
    }

    @Override
    public synchronized <T extends AutoCloseable> T kept(
            String name, Class<T> type, Opener<T> opener) throws DeviceException {
        Kept known = kept.get(name);
        if (known == null) {
            known = new Kept(type, opener.open());
            kept.put(name, known);
        } else if (known.type != type) {
            throw new DeviceException(
                    "The slot keeps '%s' as %s, not as %s."
                            .formatted(name, known.type.getName(), type.getName()));
        }
        return type.cast(known.resource);
    }

    /** Kept by this slot alone: there is no other. */
    @Override
    public <T extends AutoCloseable> T shared(String name, Class<T> type, Opener<T> opener)
            throws DeviceException {
        return kept("shared " + name, type, opener);
    }

    @Override
    public synchronized Lease assignHostDevice(Fd device) {
        assigned.add(device);
        return lease(() -> unassign(device));
    }

    private synchronized void unassign(Fd device) {
        assigned.remove(device);
    }

    /** What the engine was told of and not yet untold. */
    public synchronized List<Fd> assignedHostDevices() {
        return List.copyOf(assigned);
    }

    @Override
    public MemoryChanges memoryChanges() {
        return guestMemory.orElseThrow(
                () -> new IllegalStateException("the slot has no guest memory"));
    }

    @Override
    public synchronized Watch onReadable(Fd descriptor, Runnable work) {
        return watch(descriptor, true, work);
    }

    @Override
    public synchronized Watch onWritable(Fd descriptor, Runnable work) {
        return watch(descriptor, false, work);
    }

    private ManualWatch watch(Fd descriptor, boolean reading, Runnable work) {
        ManualWatch[] self = new ManualWatch[1];
        self[0] = new ManualWatch(descriptor, reading, work, () -> forget(self[0]));
        watches.add(self[0]);
        return lease(self[0]);
    }

    @Override
    public synchronized void tell(String what, String detail) {
        told.add(what + ": " + detail);
    }

    @Override
    public synchronized void power(PowerRequest request) {
        powerRequests.add(request);
    }

    @Override
    public synchronized void exit(int status) {
        exitStatuses.add(status);
    }

    @Override
    public synchronized void describe(FirmwareNode node) {
        nodes.add(node);
    }

    /** The bus that the regions are on: a test plays the processor with it. */
    public Bus bus() {
        return bus;
    }

    /** The console's other end. */
    public ManualConsole manualConsole() {
        return console;
    }

    /** The lines that the device holds, in the order in which it asked. */
    public synchronized List<RecordedLine> lines() {
        return List.copyOf(lines);
    }

    /** The regions that the slot holds, in the order in which it got them. */
    public synchronized List<RegionLease> regions() {
        return regions.stream().map(HeldRegion::lease).toList();
    }

    /** The lines of the slot's history that the device wrote: {@code what: detail}. */
    public synchronized List<String> told() {
        return List.copyOf(told);
    }

    public synchronized List<PowerRequest> powerRequests() {
        return List.copyOf(powerRequests);
    }

    /** What the device asked the machine to end with, in order. */
    public synchronized List<Integer> exitStatuses() {
        return List.copyOf(exitStatuses);
    }

    public synchronized List<FirmwareNode> nodes() {
        return List.copyOf(nodes);
    }

    /** Names of what the slot keeps over a swap. */
    public synchronized List<String> keptNames() {
        return List.copyOf(kept.keySet());
    }

    /** What the slot keeps over a swap, in the order in which it was opened; stays the slot's. */
    public synchronized List<AutoCloseable> keptResources() {
        return kept.values().stream().map(Kept::resource).toList();
    }

    /** Lines, timers and watches that the device has not given back. */
    public synchronized int openLeases() {
        return leases.size();
    }

    /** The host's wall clock, as the device sees it. */
    public synchronized Instant wallTime() {
        return wallTime;
    }

    public synchronized void setWallTime(Instant time) {
        wallTime = time;
    }

    /** Lets guest time pass and fires what expires on the way, each at its own time. */
    public void advanceTo(long nanoseconds) {
        for (; ; ) {
            ManualTimer next;
            synchronized (this) {
                next =
                        timers.stream()
                                .filter(timer -> timer.due(nanoseconds))
                                .min(Comparator.comparingLong(ManualTimer::expiry))
                                .orElse(null);
                guestTime = Math.max(guestTime, next == null ? nanoseconds : next.expiry());
            }
            if (next == null) {
                return;
            }
            next.fire();
        }
    }

    /**
     * Runs the work of everyone who waits for the descriptor, as a worker does when it is readable.
     *
     * @return how many there were
     */
    public int readable(Fd descriptor) {
        return ready(descriptor, true);
    }

    /** As {@link #readable}, of those who wait for room to write. */
    public int writable(Fd descriptor) {
        return ready(descriptor, false);
    }

    private int ready(Fd descriptor, boolean reading) {
        List<ManualWatch> waiting;
        synchronized (this) {
            waiting = watches.stream().filter(watch -> watch.waits(descriptor, reading)).toList();
        }
        waiting.forEach(ManualWatch::run);
        return waiting.size();
    }

    /** The descriptors that the device waits to read, in the order in which it asked. */
    public synchronized List<Fd> watched() {
        return waitedFor(true);
    }

    /** The descriptors that the device waits to write, in the order in which it asked. */
    public synchronized List<Fd> watchedForRoom() {
        return waitedFor(false);
    }

    private List<Fd> waitedFor(boolean reading) {
        return watches.stream()
                .filter(watch -> watch.waits(watch.descriptor(), reading))
                .map(ManualWatch::descriptor)
                .toList();
    }

    /**
     * The device is gone: its leases are closed backwards and its memory view is revoked. Regions
     * and kept resources wait for the next version.
     */
    public void unplugDevice() {
        List<Lease> backwards = new ArrayList<>();
        synchronized (this) {
            leases.forEach(lease -> backwards.add(0, lease));
            regions.forEach(held -> held.redirect.to(null));
            nodes.clear();
            if (memory != null) {
                memory.revoke();
                memory = null;
            }
        }
        backwards.forEach(Lease::close);
    }

    /**
     * The end of the slot: regions and kept resources go too.
     *
     * @throws IllegalStateException something that is kept cannot be closed
     */
    @Override
    public void close() {
        unplugDevice();
        List<AutoCloseable> backwards = new ArrayList<>();
        synchronized (this) {
            kept.values().forEach(known -> backwards.add(0, known.resource));
            regions.forEach(held -> backwards.add(0, held.lease));
            kept.clear();
            regions.clear();
        }
        for (AutoCloseable resource : backwards) {
            close(resource);
        }
    }

    private static void close(AutoCloseable resource) {
        try {
            resource.close();
        } catch (Exception e) {
            throw new IllegalStateException("%s cannot be closed".formatted(resource), e);
        }
    }

    private <L extends Lease> L lease(L lease) {
        leases.add(lease);
        return lease;
    }

    private synchronized void forget(Lease lease) {
        leases.remove(lease);
        lines.remove(lease);
        timers.remove(lease);
        watches.remove(lease);
    }

    /** A region's handler that outlives the device: all ones while there is none. */
    private static final class Redirect implements IoHandler {
        private volatile IoHandler handler;

        void to(IoHandler next) {
            handler = next;
        }

        boolean vacant() {
            return handler == null;
        }

        @Override
        public long read(long offset, int width) {
            IoHandler now = handler;
            return now == null ? -1 : now.read(offset, width);
        }

        @Override
        public void write(long offset, int width, long value) {
            IoHandler now = handler;
            if (now != null) {
                now.write(offset, width, value);
            }
        }
    }
}
