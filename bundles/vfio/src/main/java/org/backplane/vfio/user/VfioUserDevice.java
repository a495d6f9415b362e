package org.backplane.vfio.user;

import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.backplane.linux.EventFd;
import org.backplane.linux.Fd;
import org.backplane.linux.StreamSocket;
import org.backplane.memory.MemoryChanges;
import org.backplane.memory.MemoryListener;
import org.backplane.memory.MemoryRange;
import org.backplane.vfio.IrqInfo;
import org.backplane.vfio.RegionInfo;
import org.backplane.vfio.VfioDevice;
import org.backplane.vfio.VfioException;

/**
 * The client of vfio-user: a device in another process. It has no thread: callers speak to the
 * server one at a time and wait for it, and {@link #attend} is called when {@link #readiness} is
 * readable.
 *
 * <p>Each method has four seconds, however many messages it takes, the wait for those who speak
 * before included. A server that needs longer is as one that is silent.
 *
 * <p>The server gets the guest's RAM by descriptor, now and as it changes, and can read and write
 * it by messages too. It is trusted with that memory, and with nothing else: what it sends is
 * checked, what it can shrink is not mapped, and when it is silent or wrong the device is gone,
 * which all methods that throw say, until {@link #reconnect}.
 */
public final class VfioUserDevice implements VfioDevice {
    private static final System.Logger LOG = System.getLogger(VfioUserDevice.class.getName());

    /** Less than the 5 s after which a machine gives up a device that keeps a processor. */
    private static final Duration PATIENCE = Duration.ofSeconds(4);

    private final Path path;
    private final MemoryChanges changes;
    private final Duration patience;
    private final Runnable released;
    private final MemoryListener listener = new Ranges();

    /**
     * Guards everything below; taken under the memory's lock, so no memory is changed under it.
     * Fair, so that nobody's time passes while others are let by.
     */
    private final ReentrantLock lock = new ReentrantLock(true);

    private final GuestRanges memory = new GuestRanges();
    private final RegionMappings mappings = new RegionMappings();

    /** Written without the lock, which {@link #reconnect} may have. */
    private volatile boolean closed;

    /** Written under the lock. */
    private volatile DeviceShape shape;

    /** Written under the lock; read without by whoever has to end a wait. */
    private volatile ClientConnection connection;

    /** Likewise; one that may take the place of that one. Null while there is none. */
    private volatile ClientConnection opening;

    /** What is said to the server in one go. */
    @FunctionalInterface
    private interface Operation<T> {
        T carryOut(Deadline deadline) throws VfioException;
    }

    private VfioUserDevice(Path path, MemoryChanges changes, Duration patience, Runnable released) {
        this.path = path;
        this.changes = changes;
        this.patience = patience;
        this.released = released;
    }

    /**
     * Connects to the server at a path and gives it the guest's RAM.
     *
     * @param memory the device listens to it until closed
     * @throws VfioException nobody serves there, or no device that can be used
     */
    public static VfioUserDevice connect(Path path, MemoryChanges memory) throws VfioException {
        return connect(path, memory, PATIENCE);
    }

    /**
     * @param released called when the device has been closed, each time
     */
    static VfioUserDevice connect(Path path, MemoryChanges memory, Runnable released)
            throws VfioException {
        return connect(path, memory, PATIENCE, released);
    }

    /**
     * @param patience how long an operation may take
     */
    static VfioUserDevice connect(Path path, MemoryChanges memory, Duration patience)
            throws VfioException {
        return connect(path, memory, patience, () -> {});
    }

    private static VfioUserDevice connect(
            Path path, MemoryChanges memory, Duration patience, Runnable released)
            throws VfioException {
        VfioUserDevice device = new VfioUserDevice(path, memory, patience, released);
        try {
            // The ranges that there are now are noted, and told to the server with the rest.
            memory.addListener(device.listener);
            device.reconnect();
            return device;
        } catch (VfioException | RuntimeException e) {
            device.close();
            throw e;
        }
    }

    /** Has the server to itself for an operation, which begins with the wait for that. */
    private <T> T speak(Operation<T> operation) throws VfioException {
        Deadline deadline = Deadline.in(patience);
        lock.lock();
        try {
            return operation.carryOut(deadline);
        } finally {
            lock.unlock();
        }
    }

    private Message request(int command, ByteBuffer payload, List<? extends Fd> with, int least)
            throws VfioException {
        return speak(deadline -> connection.request(deadline, command, payload, with, least));
    }

    @Override
    public String name() {
        return path.toAbsolutePath().toString();
    }

    @Override
    public boolean resettable() {
        return shape.resettable();
    }

    @Override
    public RegionInfo region(int index) {
        List<RegionInfo> regions = shape.regions();
        return index >= 0 && index < regions.size()
                ? regions.get(index)
                : DeviceQueries.absentRegion(index);
    }

    @Override
    public IrqInfo irq(int index) {
        List<IrqInfo> irqs = shape.irqs();
        return index >= 0 && index < irqs.size() ? irqs.get(index) : DeviceQueries.absentIrq(index);
    }

    @Override
    public Fd mapping(int region) {
        lock.lock();
        try {
            Fd descriptor = mappings.of(region);
            if (descriptor == null) {
                throw new IllegalArgumentException(
                        "nothing of region %d of '%s' can be mapped".formatted(region, path));
            }
            return descriptor;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public Optional<String> unmapped(int region) {
        return Optional.ofNullable(shape.unmapped().get(region));
    }

    @Override
    public long read(int region, long offset, int width) throws VfioException {
        ByteBuffer request = CommandPayloads.read(region, offset, width);
        int least = Wire.ACCESS_BYTES + width;
        return speak(
                deadline -> {
                    ByteBuffer reply =
                            connection
                                    .request(deadline, Wire.REGION_READ, request, List.of(), least)
                                    .payload();
                    int count = reply.getInt(Wire.ACCESS_COUNT);
                    if (count != width) {
                        throw connection.lost(
                                new ProtocolException(
                                        "a read of %d bytes was answered with %d"
                                                .formatted(width, count)));
                    }
                    return CommandPayloads.data(reply, width);
                });
    }

    @Override
    public void write(int region, long offset, int width, long value) throws VfioException {
        ByteBuffer request = CommandPayloads.write(region, offset, width, value);
        request(Wire.REGION_WRITE, request, List.of(), 0);
    }

    /**
     * {@inheritDoc}
     *
     * <p>One message has eventfds for all of its vectors or for none, and no more than the server
     * takes at once.
     */
    @Override
    public void trigger(int irq, int start, List<Optional<EventFd>> events) throws VfioException {
        Objects.checkFromIndexSize(start, events.size(), irq(irq).count());
        speak(
                deadline -> {
                    int most =
                            Math.min(
                                    connection.server().mostDescriptors(),
                                    StreamSocket.MOST_DESCRIPTORS);
                    int at = 0;
                    while (at < events.size()) {
                        int end = run(events, at, most);
                        List<EventFd> run =
                                events.subList(at, end).stream().flatMap(Optional::stream).toList();
                        set(
                                deadline,
                                irq,
                                Wire.SET_DATA_EVENTFD | Wire.SET_TRIGGER,
                                start + at,
                                end - at,
                                run);
                        at = end;
                    }
                    return null;
                });
    }

    /** Where those end that go into one message. */
    private static int run(List<Optional<EventFd>> events, int at, int most) {
        boolean given = events.get(at).isPresent();
        int end = at + 1;
        while (end < events.size()
                && events.get(end).isPresent() == given
                && (!given || end - at < most)) {
            end++;
        }
        return end;
    }

    @Override
    public void resample(int irq, Optional<EventFd> event) throws VfioException {
        set(irq, Wire.SET_DATA_EVENTFD | Wire.SET_UNMASK, 0, 1, event.stream().toList());
    }

    @Override
    public void mask(int irq) throws VfioException {
        set(irq, Wire.SET_DATA_NONE | Wire.SET_MASK, 0, 1, List.of());
    }

    @Override
    public void unmask(int irq) throws VfioException {
        set(irq, Wire.SET_DATA_NONE | Wire.SET_UNMASK, 0, 1, List.of());
    }

    @Override
    public void disable(int irq) throws VfioException {
        set(irq, Wire.SET_DATA_NONE | Wire.SET_TRIGGER, 0, 0, List.of());
    }

    private void set(int irq, int flags, int start, int count, List<EventFd> events)
            throws VfioException {
        speak(deadline -> set(deadline, irq, flags, start, count, events));
    }

    private Message set(
            Deadline deadline, int irq, int flags, int start, int count, List<EventFd> events)
            throws VfioException {
        ByteBuffer payload = CommandPayloads.setIrqs(irq, flags, start, count);
        return connection.request(deadline, Wire.DEVICE_SET_IRQS, payload, events, 0);
    }

    @Override
    public void reset() throws VfioException {
        request(Wire.DEVICE_RESET, Message.payload(0), List.of(), 0);
    }

    /** The socket; another one after every {@link #reconnect}. */
    @Override
    public Optional<Fd> readiness() {
        return Optional.of(connection.socket());
    }

    @Override
    public boolean attend() {
        Deadline deadline = Deadline.in(patience);
        lock.lock();
        try {
            return connection.attend(deadline);
        } finally {
            lock.unlock();
        }
    }

    /**
     * {@inheritDoc}
     *
     * <p>Regions and interrupts are what the server says now. What regions are mapped from is
     * another descriptor afterwards; the former one stays open until the next time. Does nothing
     * while the connection is good.
     */
    @Override
    public void reconnect() throws VfioException {
        speak(
                deadline -> {
                    requireOpen();
                    if (connection == null || !connection.attend(deadline)) {
                        open(deadline);
                    }
                    return null;
                });
    }

    @Override
    public void disconnect() {
        lock.lock();
        try {
            connection.leave();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public Optional<String> absence() {
        return connection.absence();
    }

    private void open(Deadline deadline) throws VfioException {
        ClientConnection next = ClientConnection.open(path, memory);
        List<Fd> descriptors = new ArrayList<>();
        opening = next;
        try {
            // Again: who closes looks for what is opening after having said so.
            requireOpen();
            next.agree(deadline);
            DeviceShape now = new DeviceQueries(name(), next, descriptors, deadline).shape();
            for (MemoryRange range : memory.all()) {
                map(next, range, deadline);
            }
            next.serving();
            replace(next, now, descriptors);
        } catch (VfioException | RuntimeException e) {
            RegionMappings.close(descriptors);
            next.close();
            throw e;
        } finally {
            opening = null;
        }
    }

    private void requireOpen() throws VfioException {
        if (closed) {
            throw new VfioException("The device at '%s' was closed.".formatted(path));
        }
    }

    private void replace(ClientConnection next, DeviceShape now, List<Fd> descriptors) {
        if (connection != null) {
            connection.close();
            LOG.log(Level.INFO, "the device at ''{0}'' is back", path);
        }
        mappings.replace(descriptors);
        shape = now;
        connection = next;
    }

    private static Message map(ClientConnection to, MemoryRange range, Deadline deadline)
            throws VfioException {
        ByteBuffer payload = CommandPayloads.map(range);
        return to.request(deadline, Wire.DMA_MAP, payload, List.of(range.descriptor()), 0);
    }

    /**
     * Keeps the server's DMA maps as the memory is. Only RAM: what is behind BARs would have to be
     * mapped and unmapped whenever the guest moves one, and no server asks for it.
     */
    private final class Ranges implements MemoryListener {
        @Override
        public void added(MemoryRange range) {
            if (range.kind() != MemoryRange.Kind.RAM) {
                return;
            }
            try {
                speak(
                        deadline -> {
                            memory.add(range);
                            return isServed() ? map(connection, range, deadline) : null;
                        });
            } catch (VfioException e) {
                LOG.log(
                        Level.WARNING,
                        "the device at ''{0}'' cannot reach {1}: {2}",
                        path,
                        range,
                        e.getMessage());
            }
        }

        @Override
        public void removed(MemoryRange range) {
            // Before the lock, which may be held by one who waits for the server: BARs of all
            // devices move under the memory's lock.
            if (range.kind() != MemoryRange.Kind.RAM) {
                return;
            }
            Deadline deadline = Deadline.in(patience);
            lock.lock();
            try {
                if (memory.remove(range) && isServed()) {
                    ByteBuffer payload = CommandPayloads.unmap(range);
                    connection.request(deadline, Wire.DMA_UNMAP, payload, List.of(), 0);
                }
            } catch (VfioException e) {
                // A server that would keep what is no more the guest's is let go.
                if (isServed()) {
                    connection.lost(e);
                }
            } finally {
                lock.unlock();
            }
        }

        private boolean isServed() {
            return connection != null && !connection.isOver();
        }
    }

    @Override
    public void close() {
        closed = true;
        // Whoever waits for the server under the lock returns.
        Stream.of(Optional.ofNullable(opening), Optional.ofNullable(connection))
                .flatMap(Optional::stream)
                .forEach(ClientConnection::shutdown);
        changes.removeListener(listener);
        lock.lock();
        try {
            if (connection != null) {
                connection.close();
            }
            mappings.close();
        } finally {
            lock.unlock();
            released.run();
        }
    }
}
