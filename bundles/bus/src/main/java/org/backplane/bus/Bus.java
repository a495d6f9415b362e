package org.backplane.bus;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The address spaces of one machine. Claims change under one lock; an access is dispatched from an
 * immutable snapshot without it. Unclaimed addresses, and accesses that do not lie wholly inside
 * one region, read all ones and swallow writes. Thread-safe.
 *
 * <p>An access that began before a change may reach the region as it was before the change; one
 * that begins after the change returned does not. Who must keep out the stragglers too has a gate
 * or a flag in the handler.
 */
public final class Bus {
    /** I/O space as far as the processor can address it. */
    private static final AddressRange PORTS = new AddressRange(0, 0x10000);

    private final Logger log = System.getLogger(Bus.class.getName());

    /** Held for short changes of tables only, never while a handler or a listener runs. */
    private final ReentrantLock lock = new ReentrantLock();

    private final List<AddressAllocator> windows = new ArrayList<>();
    private final List<RegionLease> claims = new ArrayList<>();

    /** What the outermost change under way has touched. */
    private final Set<AddressAllocator> changedWindows = new LinkedHashSet<>();

    private final Set<Space> changedSpaces = EnumSet.noneOf(Space.class);

    private final CopyOnWriteArrayList<Listener> listeners = new CopyOnWriteArrayList<>();

    private volatile Snapshot io = Snapshot.EMPTY;
    private volatile Snapshot mmio = Snapshot.EMPTY;

    private final Map<Space, AtomicLong> strays = new EnumMap<>(Space.class);

    public Bus() {
        for (Space space : Space.values()) {
            strays.put(space, new AtomicLong());
        }
    }

    /**
     * Adds a window; it must not overlap one of the same space.
     *
     * @throws IllegalArgumentException it does, or lies outside of the 64 KiB of I/O space
     */
    public AddressAllocator addWindow(String name, Space space, AddressRange range) {
        if (space == Space.IO && !PORTS.contains(range)) {
            throw new IllegalArgumentException(
                    "window '%s' (%s) is outside of I/O space (%s)".formatted(name, range, PORTS));
        }
        lock.lock();
        try {
            for (AddressAllocator other : windows) {
                if (other.space() == space && other.range().overlaps(range)) {
                    throw new IllegalArgumentException(
                            "window '%s' (%s) overlaps window %s".formatted(name, range, other));
                }
            }
            AddressAllocator window = new AddressAllocator(name, space, range, lock);
            windows.add(window);
            return window;
        } finally {
            lock.unlock();
        }
    }

    /** In the order in which they were added. */
    public List<AddressAllocator> windows() {
        lock.lock();
        try {
            return List.copyOf(windows);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Claims addresses and starts to decode them.
     *
     * @param owner the slot, for messages and the address map
     * @param size in bytes, at least 1
     * @throws ClaimException the window has no such room
     */
    public RegionLease claim(
            AddressAllocator window,
            String owner,
            long size,
            Placement placement,
            IoHandler handler)
            throws ClaimException {
        return claim(window, owner, size, placement, handler, true);
    }

    /**
     * Claims addresses.
     *
     * @param decode whether accesses are dispatched from the start
     * @throws ClaimException the window has no such room
     */
    public RegionLease claim(
            AddressAllocator window,
            String owner,
            long size,
            Placement placement,
            IoHandler handler,
            boolean decode)
            throws ClaimException {
        if (size <= 0) {
            throw new IllegalArgumentException(owner + " claims " + size + " bytes");
        }
        begin();
        try {
            requireOwn(window);
            AddressRange taken = take(window, owner, size, placement);
            RegionLease lease = new RegionLease(this, owner, handler, window, taken, decode);
            claims.add(lease);
            changed(window);
            return lease;
        } finally {
            end();
        }
    }

    /** Every claim, by window and address. */
    public List<RegionLease> regions() {
        lock.lock();
        try {
            List<RegionLease> sorted = new ArrayList<>(claims);
            sorted.sort(
                    Comparator.comparingInt((RegionLease lease) -> windows.indexOf(lease.window()))
                            .thenComparingLong(lease -> lease.range().base()));
            return List.copyOf(sorted);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Makes several changes of claims as one: no other thread sees or makes a change in between,
     * processors see the decoding of a space change at once, and listeners run once, afterwards.
     * What was changed stays changed if the action throws. The action runs under the lock: it must
     * be short, and must neither wait nor call into a device.
     */
    public <X extends Exception> void change(Change<X> action) throws X {
        begin();
        try {
            action.run();
        } finally {
            end();
        }
    }

    /** Several changes of claims. */
    @FunctionalInterface
    public interface Change<X extends Exception> {
        void run() throws X;
    }

    /**
     * Runs after every claim, move or close in the window, on the changing thread, without the
     * lock. A listener that changes claims itself is called again for its own change. What a
     * listener throws is logged, and is no business of the thread that made the change.
     */
    public Subscription onChange(AddressAllocator window, Runnable listener) {
        requireOwn(window);
        Listener added = new Listener(window, listener);
        listeners.add(added);
        return () -> listeners.remove(added);
    }

    /** Calls a listener until closed; a call under way is not waited for. */
    @FunctionalInterface
    public interface Subscription extends AutoCloseable {
        @Override
        void close();
    }

    /** A class, not a record: two subscriptions of the same listener are two. */
    private static final class Listener {
        private final AddressAllocator window;
        private final Runnable action;

        Listener(AddressAllocator window, Runnable action) {
            this.window = window;
            this.action = action;
        }
    }

    /**
     * Dispatches a read on the calling processor's thread; allocates nothing itself.
     *
     * @param width in bytes: 1, 2, 4 or 8
     * @return the value in the low bits, zero above the width
     */
    public long read(Space space, long address, int width) {
        Snapshot snapshot = space == Space.MMIO ? mmio : io;
        int region = snapshot.find(address, width);
        if (region < 0) {
            stray("read from", space, address, width);
            return allOnes(width);
        }
        return snapshot.lease(region).read(address - snapshot.base(region), width) & allOnes(width);
    }

    /**
     * Dispatches a write on the calling processor's thread; allocates nothing itself.
     *
     * @param width in bytes: 1, 2, 4 or 8
     * @param value in the low bits; bits above the width are ignored
     */
    public void write(Space space, long address, int width, long value) {
        Snapshot snapshot = space == Space.MMIO ? mmio : io;
        int region = snapshot.find(address, width);
        if (region < 0) {
            stray("write to", space, address, width);
            return;
        }
        snapshot.lease(region)
                .write(address - snapshot.base(region), width, value & allOnes(width));
    }

    /** Accesses to a space that no region answered. */
    public long strays(Space space) {
        return strays.get(space).get();
    }

    /** What an access reads where nothing answers: every bit of the width set. */
    public static long allOnes(int width) {
        return -1L >>> (64 - 8 * width);
    }

    /** Says so at the first, second, fourth... time: a guest cannot fill the log. */
    private void stray(String what, Space space, long address, int width) {
        long count = strays.get(space).incrementAndGet();
        if (Long.bitCount(count) == 1 && log.isLoggable(Level.DEBUG)) {
            log.log(
                    Level.DEBUG,
                    "%d-byte %s %s 0x%x: no region answers (%d such accesses so far)"
                            .formatted(width, what, space, address, count));
        }
    }

    // The rest is for leases, between begin and end.

    /** Starts a change, or joins the one that this thread is making. */
    void begin() {
        lock.lock();
    }

    /** Ends a change; the outermost publishes, gives up the lock and tells the listeners. */
    void end() {
        if (lock.getHoldCount() > 1) {
            lock.unlock();
            return;
        }
        List<AddressAllocator> tell;
        try {
            changedSpaces.forEach(this::publish);
        } finally {
            changedSpaces.clear();
            tell = List.copyOf(changedWindows);
            changedWindows.clear();
            lock.unlock();
        }
        tell.forEach(this::tell);
    }

    private void publish(Space space) {
        List<RegionLease> decoding =
                claims.stream()
                        .filter(lease -> lease.decoding() && lease.window().space() == space)
                        .sorted(Comparator.comparingLong(lease -> lease.range().base()))
                        .toList();
        if (space == Space.MMIO) {
            mmio = new Snapshot(decoding);
        } else {
            io = new Snapshot(decoding);
        }
    }

    private void tell(AddressAllocator window) {
        for (Listener listener : listeners) {
            if (listener.window == window) {
                try {
                    listener.action.run();
                } catch (RuntimeException e) {
                    log.log(Level.ERROR, "a listener of window " + window + " failed", e);
                }
            }
        }
    }

    void changed(AddressAllocator window) {
        changedWindows.add(window);
        changedSpaces.add(window.space());
    }

    void decodingChanged(Space space) {
        changedSpaces.add(space);
    }

    void forget(RegionLease lease) {
        claims.remove(lease);
    }

    AddressRange take(AddressAllocator window, String owner, long size, Placement placement)
            throws ClaimException {
        AddressRange taken = window.take(size, placement);
        if (taken == null) {
            throw new ClaimException(refusal(window, owner, size, placement));
        }
        return taken;
    }

    void requireOwn(AddressAllocator window) {
        lock.lock();
        try {
            if (!windows.contains(window)) {
                throw new IllegalArgumentException("window " + window + " is not of this bus");
            }
        } finally {
            lock.unlock();
        }
    }

    private String refusal(AddressAllocator window, String owner, long size, Placement placement) {
        String wanted;
        String reason = "";
        AddressRange part = window.range();
        if (placement instanceof Placement.Exact exact) {
            wanted = "at 0x%x".formatted(exact.base());
            reason = obstacle(window, exact.base(), size);
        } else if (placement instanceof Placement.LowestIn lowest) {
            part = lowest.part();
            wanted = "aligned to 0x%x inside of %s".formatted(lowest.alignment(), part);
        } else {
            wanted = "aligned to 0x%x".formatted(((Placement.Lowest) placement).alignment());
        }
        List<AddressRange> holes = window.holes(part);
        return "%s cannot have 0x%x bytes %s in window %s: %slargest hole 0x%x bytes, 0x%x free in all."
                .formatted(
                        owner,
                        size,
                        wanted,
                        window,
                        reason,
                        holes.stream().mapToLong(AddressRange::size).max().orElse(0),
                        holes.stream().mapToLong(AddressRange::size).sum());
    }

    private String obstacle(AddressAllocator window, long base, long size) {
        AddressRange range = window.range();
        if (!range.contains(base) || size > range.end() - base) {
            return "that is not inside it, ";
        }
        AddressRange target = new AddressRange(base, size);
        return claims.stream()
                .filter(lease -> lease.window() == window && lease.range().overlaps(target))
                .min(Comparator.comparingLong(lease -> lease.range().base()))
                .map(lease -> "%s has %s, ".formatted(lease.owner(), lease.range()))
                .orElse("");
    }
}
