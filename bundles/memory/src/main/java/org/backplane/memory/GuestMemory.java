package org.backplane.memory;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.ListIterator;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.backplane.linux.Fd;
import org.backplane.linux.Mapping;
import org.backplane.linux.Memfd;

/**
 * The guest's memory: RAM from one shared memfd, and host memory mapped behind BARs.
 *
 * <p>The layout is replaced as a whole at each change; readers take the current one without a lock.
 * Changes come one at a time, on any thread, and call the listeners before they return; no change
 * waits for a listener that is told of the RAM there is. A range taken out is unmapped when nobody
 * can hold an address inside it any more, see {@link MemoryView}.
 */
public final class GuestMemory implements MemoryChanges, AutoCloseable {
    /** Where one piece of RAM goes; pieces take the memfd's offsets in their order. */
    public record RamBank(long guestAddress, long length) {}

    /**
     * A mapping out of the layout.
     *
     * @param epoch the first without it
     */
    private record Retired(Mapping mapping, long epoch) {}

    /** RAM of this process's own. */
    private record Ram(Memfd memfd, Mapping mapping) {}

    private final Optional<Ram> ram;
    private final List<MemoryListener> listeners = new ArrayList<>();
    private final List<MemoryView> views = new CopyOnWriteArrayList<>();

    /** Guarded by itself; threads wait on it for a mapping to go. */
    private final List<Retired> retired = new ArrayList<>();

    /** Guarded by itself. */
    private final List<PageHold> holds = new ArrayList<>();

    /** Written under this object's lock. */
    private volatile MemoryLayout layout;

    /** Whether RAM was ever mapped that another process can take away. */
    private volatile boolean canShrink;

    private boolean closed;

    /**
     * Makes the memfd and maps all of it, shared. No page is taken from the host before it is
     * touched.
     *
     * @param name for the host's lists of mappings
     * @param banks page-aligned, not overlapping, at least one
     * @throws IllegalArgumentException the banks are not such
     */
    public GuestMemory(String name, List<RamBank> banks) throws IOException {
        long total = 0;
        for (RamBank bank : banks) {
            String problem = problem(bank.guestAddress(), 0, bank.length());
            if (problem != null) {
                throw new IllegalArgumentException(problem);
            }
            total = Math.addExact(total, bank.length());
        }
        if (total == 0) {
            throw new IllegalArgumentException("a guest needs at least one bank of memory");
        }
        Memfd memfd = Memfd.create(name, total);
        Mapping mapping = null;
        try {
            mapping = Mapping.shared(memfd, 0, total, Mapping.Protection.READ_WRITE);
            mapping.adviseGuestMemory();
            List<MemoryRange> ranges = new ArrayList<>();
            long offset = 0;
            for (RamBank bank : banks) {
                ranges.add(
                        new MemoryRange(
                                bank.guestAddress(),
                                bank.length(),
                                mapping.address() + offset,
                                memfd,
                                offset,
                                MemoryRange.Kind.RAM,
                                true));
                offset += bank.length();
            }
            layout = new MemoryLayout(1, ranges);
        } catch (IOException | RuntimeException e) {
            if (mapping != null) {
                mapping.close();
            }
            memfd.close();
            throw e;
        }
        ram = Optional.of(new Ram(memfd, mapping));
    }

    private GuestMemory() {
        ram = Optional.empty();
        layout = new MemoryLayout(1, List.of());
    }

    /** Of a guest in another process, whose RAM is what is {@link #mapRam mapped} of it. */
    public static GuestMemory ofElsewhere() {
        return new GuestMemory();
    }

    /** The current picture. */
    public MemoryLayout layout() {
        return layout;
    }

    long epoch() {
        return layout.epoch();
    }

    @Override
    public void addListener(MemoryListener listener) {
        // Until it has caught up nothing is unmapped, so no other range can come to lie where one
        // that it was told of did: two that are equal are the same.
        MemoryView view = view("a listener that joins");
        long ticket = view.pin();
        try {
            List<MemoryRange> told =
                    layout.ranges().stream()
                            .filter(range -> range.kind() != MemoryRange.Kind.DEVICE)
                            .toList();
            told.forEach(listener::added);
            synchronized (this) {
                List<MemoryRange> ranges = layout.ranges();
                told.stream().filter(range -> !ranges.contains(range)).forEach(listener::removed);
                ranges.stream().filter(range -> !told.contains(range)).forEach(listener::added);
                listeners.add(listener);
            }
        } finally {
            view.unpin(ticket);
            view.revoke();
        }
    }

    @Override
    public synchronized void removeListener(MemoryListener listener) {
        listeners.remove(listener);
    }

    /**
     * Maps part of a descriptor at a guest address, kind DEVICE. The descriptor may be closed
     * before the lease.
     *
     * @param offset in bytes, a multiple of the page
     * @param length in bytes, a multiple of the page
     * @throws IOException the addresses are not aligned or taken, or the host cannot map that
     */
    public MemoryLease map(
            long guestAddress, Fd descriptor, long offset, long length, boolean writable)
            throws IOException {
        return map(MemoryRange.Kind.DEVICE, guestAddress, descriptor, offset, length, writable);
    }

    /**
     * As {@link #map}, kind RAM: of a guest in another process. That process may take pages away
     * again unless the descriptor is sealed; an access to one that is gone is an {@link
     * InternalError} of the thread that makes it.
     */
    public MemoryLease mapRam(
            long guestAddress, Fd descriptor, long offset, long length, boolean writable)
            throws IOException {
        if (!Memfd.keepsSize(descriptor)) {
            canShrink = true;
        }
        return map(MemoryRange.Kind.RAM, guestAddress, descriptor, offset, length, writable);
    }

    /**
     * Throws the {@link InternalError} of an access of this thread to RAM that another process has
     * taken away, see {@link #mapRam}, if there was one: for whoever has made a device's calls, so
     * that it is that device's fault. Costs nothing where RAM cannot shrink.
     */
    public void raiseFault() {
        if (canShrink) {
            OffHeap.raiseFault();
        }
    }

    private synchronized MemoryLease map(
            MemoryRange.Kind kind,
            long guestAddress,
            Fd descriptor,
            long offset,
            long length,
            boolean writable)
            throws IOException {
        String problem = problem(guestAddress, offset, length);
        if (problem == null) {
            problem = overlap(guestAddress, length);
        }
        if (problem == null && closed) {
            problem = "the guest's memory is closed";
        }
        if (problem != null) {
            throw new IOException(
                    "Cannot map %s at guest address 0x%x: %s."
                            .formatted(descriptor.name(), guestAddress, problem));
        }
        Mapping mapping =
                Mapping.shared(
                        descriptor,
                        offset,
                        length,
                        writable ? Mapping.Protection.READ_WRITE : Mapping.Protection.READ);
        MemoryRange range =
                new MemoryRange(
                        guestAddress,
                        length,
                        mapping.address(),
                        descriptor,
                        offset,
                        kind,
                        writable);
        announce(range, mapping);
        List<MemoryRange> ranges = new ArrayList<>(layout.ranges());
        ranges.add(range);
        layout = new MemoryLayout(layout.epoch() + 1, ranges);
        return new MemoryLease(this, range, mapping);
    }

    /** Tells the listeners, latest first; if one fails, untells those that know and unmaps. */
    private void announce(MemoryRange range, Mapping mapping) {
        ListIterator<MemoryListener> next = listeners.listIterator(listeners.size());
        try {
            while (next.hasPrevious()) {
                next.previous().added(range);
            }
        } catch (RuntimeException e) {
            // The one that failed is where the iterator stands now; it is not told.
            next.next();
            while (next.hasNext()) {
                next.next().removed(range);
            }
            mapping.close();
            throw e;
        }
    }

    private static String problem(long guestAddress, long offset, long length) {
        long page = Mapping.pageSize();
        if (length <= 0 || length % page != 0 || guestAddress % page != 0 || offset % page != 0) {
            return "address 0x%x, offset 0x%x and length 0x%x must be multiples of the page, 0x%x"
                    .formatted(guestAddress, offset, length, page);
        }
        if (guestAddress < 0 || length > Long.MAX_VALUE - guestAddress) {
            return "0x%x bytes at 0x%x leave the address space".formatted(length, guestAddress);
        }
        return null;
    }

    private String overlap(long guestAddress, long length) {
        for (MemoryRange range : layout.ranges()) {
            if (guestAddress < range.end() && range.guestAddress() < guestAddress + length) {
                return "0x%x bytes there overlap %s".formatted(length, range);
            }
        }
        return null;
    }

    synchronized void remove(MemoryRange range, Mapping mapping) {
        List<MemoryRange> ranges = new ArrayList<>(layout.ranges());
        if (!ranges.remove(range)) {
            return;
        }
        publishWithout(ranges, List.of(range), mapping);
    }

    private void publishWithout(List<MemoryRange> left, List<MemoryRange> gone, Mapping mapping) {
        long epoch = layout.epoch() + 1;
        layout = new MemoryLayout(epoch, left);
        RuntimeException failure = null;
        for (MemoryRange range : gone) {
            for (MemoryListener listener : listeners) {
                try {
                    listener.removed(range);
                } catch (RuntimeException e) {
                    // The others hear of it all the same: devices must not reach it any more.
                    failure = failure == null ? e : failure;
                }
            }
        }
        synchronized (retired) {
            retired.add(new Retired(mapping, epoch));
        }
        reap();
        if (failure != null) {
            throw failure;
        }
    }

    /** Unmaps what nobody can hold an address in: no pin is older than the epoch without it. */
    void reap() {
        synchronized (retired) {
            long oldest = Long.MAX_VALUE;
            for (MemoryView view : views) {
                oldest = Math.min(oldest, view.oldestPinned());
            }
            boolean some = false;
            for (Iterator<Retired> each = retired.iterator(); each.hasNext(); ) {
                Retired one = each.next();
                if (oldest >= one.epoch) {
                    each.remove();
                    one.mapping.close();
                    some = true;
                }
            }
            if (some) {
                retired.notifyAll();
            }
        }
        views.removeIf(view -> view.isRevoked() && view.oldestPinned() == Long.MAX_VALUE);
    }

    boolean awaitUnmapped(Mapping mapping, Duration atMost) throws InterruptedException {
        long deadline = System.nanoTime() + atMost.toNanos();
        synchronized (retired) {
            while (retired.stream().anyMatch(one -> one.mapping == mapping)) {
                long left = (deadline - System.nanoTime() + 999_999) / 1_000_000;
                if (left <= 0) {
                    return false;
                }
                retired.wait(left);
            }
            return true;
        }
    }

    /** A device's own way to the memory. */
    public MemoryView view(String owner) {
        // Under the lock, so that no change can miss it between its epoch and the list.
        synchronized (this) {
            MemoryView view = new MemoryView(this, owner, layout.epoch());
            views.add(view);
            return view;
        }
    }

    /** Owners of the views that hold pins now, for messages. */
    public List<String> pinned() {
        return views.stream()
                .filter(view -> view.oldestPinned() != Long.MAX_VALUE)
                .map(MemoryView::owner)
                .toList();
    }

    /**
     * Clears all RAM of its own, giving the pages back to the host unless somebody {@link
     * #holdPages holds} them. No processor may be running and no device working.
     */
    public void zero() throws IOException {
        if (ram.isEmpty()) {
            return;
        }
        Memfd memfd = ram.get().memfd();
        Mapping mapping = ram.get().mapping();
        synchronized (holds) {
            if (holds.isEmpty()) {
                memfd.punchHole(0, memfd.length());
            } else {
                OffHeap.fill(mapping.address(), mapping.length(), (byte) 0);
            }
        }
    }

    @Override
    public PageHold holdPages() {
        PageHold hold =
                new PageHold() {
                    @Override
                    public void close() {
                        synchronized (holds) {
                            holds.remove(this);
                        }
                    }
                };
        synchronized (holds) {
            holds.add(hold);
        }
        return hold;
    }

    /**
     * Takes every range out of the layout and revokes every view; mappings go with the last pin.
     * Closing again does nothing.
     */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        views.forEach(MemoryView::revoke);
        if (ram.isEmpty()) {
            return;
        }
        Memfd memfd = ram.get().memfd();
        List<MemoryRange> mapped = new ArrayList<>(layout.ranges());
        mapped.removeIf(range -> range.descriptor() == memfd);
        List<MemoryRange> gone = new ArrayList<>(layout.ranges());
        gone.removeAll(mapped);
        // What was mapped belongs to its leases.
        try {
            publishWithout(mapped, gone, ram.get().mapping());
        } finally {
            memfd.close();
        }
    }
}
