package org.backplane.device.vfio;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.backplane.linux.EventFd;
import org.backplane.linux.Fd;
import org.backplane.vfio.IrqInfo;
import org.backplane.vfio.RegionInfo;
import org.backplane.vfio.VfioDevice;
import org.backplane.vfio.VfioException;

/**
 * A device by data: configuration space and regions are bytes, and every call that changes
 * something is noted. Like the kernel, it refuses to switch off what is not on.
 */
final class PlayedDevice implements VfioDevice {
    private static final int KINDS = 5;
    private final byte[] config;
    private final byte[] initial;
    private final Map<Integer, byte[]> regions = new HashMap<>();
    private final Map<Integer, RegionInfo> infos = new HashMap<>();
    private final IrqInfo[] irqs = new IrqInfo[KINDS];
    private final Map<Integer, Fd> mappings = new HashMap<>();
    private final Map<Integer, String> reasons = new HashMap<>();
    private final List<String> calls = new ArrayList<>();

    /** By kind and vector. */
    private final Map<Integer, Map<Integer, EventFd>> armed = new HashMap<>();

    boolean resettable = true;
    boolean there = true;

    /** How many of the next calls that arm vectors fail. */
    int refusals;

    /** How many of the next writes fail. */
    int refusedWrites;

    /** Called inside of reads of configuration space. */
    Runnable onConfigRead = () -> {};

    Optional<Fd> readiness = Optional.empty();

    /** Why reconnecting fails though somebody is there; null if it does not. */
    String unusable;

    /** Whether somebody is there who is not connected. */
    private boolean left;

    boolean closed;

    PlayedDevice(int configSize) {
        config = new byte[configSize];
        initial = new byte[configSize];
        for (int kind = 0; kind < KINDS; kind++) {
            irqs[kind] = new IrqInfo(kind, 0, false, false, false, false);
        }
    }

    /** Registers like those of an nvme whose 5 vectors lie among its registers in BAR 0. */
    static PlayedDevice nvme() {
        return new PlayedDevice(4096)
                .set(0x00, 4, 0x0010_1b36)
                .set(0x06, 2, 0x0010)
                .set(0x08, 4, 0x0108_0202)
                .set(0x2c, 4, 0x1100_1af4)
                .set(0x34, 1, 0x40)
                .set(0x3d, 1, 1)
                .bar(0, 0b0100, 0x4000)
                // MSI-X: table at 0x2000, pending bits at 0x3000.
                .set(0x40, 2, 0x8011)
                .set(0x42, 2, 4)
                .set(0x44, 4, 0x2000)
                .set(0x48, 4, 0x3000)
                // PCI Express, version 2, with a function-level reset.
                .set(0x80, 2, 0x6010)
                .set(0x82, 2, 0x0002)
                .set(0x84, 4, 0x1000_8001)
                .set(0x88, 2, 0x2810)
                .set(0x8c, 4, 0x0040_0c11)
                // Power management.
                .set(0x60, 2, 0x0001)
                .set(0x62, 2, 0xc803)
                .irq(INTX, new IrqInfo(INTX, 1, true, true, true, false))
                .irq(MSIX, new IrqInfo(MSIX, 5, true, false, false, true));
    }

    /** Gives registers their first values. */
    PlayedDevice set(int offset, int width, long value) {
        put(config, offset, width, value);
        put(initial, offset, width, value);
        return this;
    }

    /** A BAR with its region, all of which can be mapped. */
    PlayedDevice bar(int index, int type, long size) {
        set(0x10 + 4 * index, 4, type);
        return region(
                new RegionInfo(
                        index,
                        size,
                        true,
                        true,
                        (long) index << 40,
                        size >= 4096 && (type & 1) == 0
                                ? List.of(new RegionInfo.Area(0, size))
                                : List.of(),
                        true));
    }

    PlayedDevice region(RegionInfo region) {
        infos.put(region.index(), region);
        regions.put(region.index(), new byte[(int) Math.min(region.size(), 0x2_0000)]);
        return this;
    }

    PlayedDevice irq(int kind, IrqInfo irq) {
        irqs[kind] = irq;
        return this;
    }

    PlayedDevice mapping(int region, Fd descriptor) {
        mappings.put(region, descriptor);
        return this;
    }

    /** Nothing of the region is mapped, for a reason. */
    PlayedDevice unmapped(int region, String reason) {
        reasons.put(region, reason);
        return this;
    }

    @Override
    public Optional<String> unmapped(int region) {
        return Optional.ofNullable(reasons.get(region));
    }

    /** Calls since the last look. */
    List<String> calls() {
        List<String> seen = List.copyOf(calls);
        calls.clear();
        return seen;
    }

    long config(int offset, int width) {
        return get(config, offset, width);
    }

    /** The device interrupts. */
    void interrupt(int kind, int vector) {
        armed.get(kind).get(vector).signal();
    }

    boolean armed(int kind, int vector) {
        return armed.containsKey(kind) && armed.get(kind).containsKey(vector);
    }

    private static void put(byte[] bytes, int offset, int width, long value) {
        for (int i = 0; i < width; i++) {
            bytes[offset + i] = (byte) (value >>> 8 * i);
        }
    }

    private static long get(byte[] bytes, int offset, int width) {
        byte[] wide = Arrays.copyOf(Arrays.copyOfRange(bytes, offset, offset + width), 8);
        return ByteBuffer.wrap(wide).order(ByteOrder.LITTLE_ENDIAN).getLong();
    }

    private void requireThere() throws VfioException {
        if (!attend()) {
            throw new VfioException("the played device is gone.");
        }
    }

    @Override
    public String name() {
        return "0000:01:00.0";
    }

    @Override
    public boolean resettable() {
        return resettable;
    }

    @Override
    public RegionInfo region(int index) {
        return index == CONFIG
                ? new RegionInfo(CONFIG, config.length, true, true, 0, List.of(), false)
                : infos.getOrDefault(
                        index, new RegionInfo(index, 0, false, false, 0, List.of(), false));
    }

    @Override
    public IrqInfo irq(int index) {
        return irqs[index];
    }

    @Override
    public synchronized long read(int region, long offset, int width) throws VfioException {
        requireThere();
        if (region == CONFIG) {
            onConfigRead.run();
        }
        return get(region == CONFIG ? config : regions.get(region), (int) offset, width);
    }

    @Override
    public synchronized void write(int region, long offset, int width, long value)
            throws VfioException {
        requireThere();
        if (refusedWrites > 0) {
            refusedWrites--;
            throw new VfioException("it does not take the write.");
        }
        calls.add("write %d+%x %x".formatted(region, offset, value));
        put(region == CONFIG ? config : regions.get(region), (int) offset, width, value);
    }

    @Override
    public Fd mapping(int region) {
        return mappings.get(region);
    }

    @Override
    public synchronized void trigger(int irq, int start, List<Optional<EventFd>> events)
            throws VfioException {
        requireThere();
        calls.add(
                "trigger %d+%d %s"
                        .formatted(
                                irq,
                                start,
                                events.stream()
                                        .map(each -> each.isPresent() ? "e" : "-")
                                        .collect(Collectors.joining())));
        if (refusals > 0) {
            refusals--;
            throw new VfioException("no vectors are left.");
        }
        Map<Integer, EventFd> vectors = armed.computeIfAbsent(irq, kind -> new HashMap<>());
        for (int i = 0; i < events.size(); i++) {
            int vector = start + i;
            vectors.remove(vector);
            events.get(i).ifPresent(event -> vectors.put(vector, event));
        }
    }

    @Override
    public synchronized void resample(int irq, Optional<EventFd> event) throws VfioException {
        requireThere();
        calls.add("resample " + irq);
    }

    @Override
    public synchronized void mask(int irq) {
        calls.add("mask " + irq);
    }

    @Override
    public synchronized void unmask(int irq) {
        calls.add("unmask " + irq);
    }

    @Override
    public synchronized void disable(int irq) throws VfioException {
        requireThere();
        if (armed.remove(irq) == null) {
            throw new VfioException("kind %d is off.".formatted(irq));
        }
        calls.add("disable " + irq);
    }

    @Override
    public synchronized void reset() throws VfioException {
        requireThere();
        calls.add("reset");
        System.arraycopy(initial, 0, config, 0, config.length);
        regions.values().forEach(each -> Arrays.fill(each, (byte) 0));
    }

    @Override
    public Optional<Fd> readiness() {
        return readiness;
    }

    @Override
    public boolean attend() {
        return there && !left;
    }

    @Override
    public synchronized void reconnect() throws VfioException {
        if (!there) {
            throw VfioException.absent("nobody plays a device.", null);
        }
        calls.add("reconnect");
        if (unusable != null) {
            left = true;
            throw new VfioException(unusable);
        }
        left = false;
        armed.clear();
    }

    @Override
    public synchronized void disconnect() {
        if (attend()) {
            calls.add("disconnect");
            left = true;
        }
    }

    @Override
    public Optional<String> absence() {
        return attend() ? Optional.empty() : Optional.of("it stopped playing");
    }

    @Override
    public void close() {
        closed = true;
    }
}
