package org.backplane.testkit.vfio;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.backplane.linux.Fd;
import org.backplane.vfio.IrqInfo;
import org.backplane.vfio.RegionInfo;
import org.backplane.vfio.VfioDevice;
import org.backplane.vfio.VfioException;
import org.backplane.vfio.user.ServedDevice;
import org.backplane.vfio.user.ServedMemory;
import org.backplane.vfio.user.ServedWires;

/**
 * A device described by data, to be put behind a {@link org.backplane.vfio.user.VfioUserServer}.
 * Closed by whoever opened it, after the server.
 *
 * <p>{@link #peek} and {@link #poke} are for tests and thread-safe; the rest is the server's.
 */
public final class DescribedDevice implements ServedDevice, AutoCloseable {
    private static final System.Logger LOG = System.getLogger(DescribedDevice.class.getName());
    private static final int MOST_COPIED = 1 << 20;

    private final DeviceDescription description;
    private final RegisterFile config;
    private final ClientMemory memory = new ClientMemory();

    /** By index; a mirror is the BAR that it mirrors. */
    private final Map<Integer, DescribedBar> bars = new TreeMap<>();

    /** What mailboxes hold now. */
    private final Map<Action.Mailbox, Map<Integer, Long>> cells = new HashMap<>();

    private ServedWires wires;
    private int resets;

    private DescribedDevice(DeviceDescription description) {
        this.description = description;
        config = ConfigSpace.of(description);
    }

    /** Makes the device with all its memory. */
    public static DescribedDevice open(DeviceDescription description) throws IOException {
        DescribedDevice device = new DescribedDevice(description);
        try {
            for (BarDescription bar : description.bars()) {
                if (bar.sameAs().isEmpty()) {
                    device.bars.put(bar.index(), DescribedBar.open(bar));
                }
            }
            for (BarDescription bar : description.bars()) {
                if (bar.sameAs().isPresent()) {
                    device.bars.put(bar.index(), device.bars.get(bar.sameAs().getAsInt()));
                }
            }
            return device;
        } catch (IOException | RuntimeException e) {
            device.close();
            throw e;
        }
    }

    public DeviceDescription description() {
        return description;
    }

    @Override
    public void wired(ServedWires given) {
        wires = given;
    }

    @Override
    public boolean resettable() {
        return description.resettable();
    }

    @Override
    public RegionInfo region(int index) {
        if (index == VfioDevice.CONFIG) {
            return new RegionInfo(
                    index, ConfigSpace.size(description), true, true, 0, List.of(), false);
        }
        for (BarDescription bar : description.bars()) {
            if (bar.index() == index) {
                boolean msix =
                        description.capabilities().stream().anyMatch(CapabilityDescription::isMsix);
                return bars.get(index).region(bar, msix);
            }
        }
        return new RegionInfo(index, 0, false, false, 0, List.of(), false);
    }

    @Override
    public Optional<Fd> mapping(int region) {
        DescribedBar bar = bars.get(region);
        return bar == null ? Optional.empty() : bar.mapping();
    }

    @Override
    public IrqInfo irq(int index) {
        return switch (index) {
            case VfioDevice.INTX ->
                    new IrqInfo(index, description.pin() == 0 ? 0 : 1, true, true, true, true);
            case VfioDevice.MSI ->
                    new IrqInfo(
                            index,
                            vectors(CapabilityDescription::isMsi),
                            true,
                            false,
                            false,
                            false);
            case VfioDevice.MSIX ->
                    new IrqInfo(
                            index,
                            vectors(CapabilityDescription::isMsix),
                            true,
                            false,
                            false,
                            true);
            default -> new IrqInfo(index, 0, false, false, false, false);
        };
    }

    private int vectors(Predicate<CapabilityDescription> kind) {
        return description.capabilities().stream()
                .filter(kind)
                .mapToInt(CapabilityDescription::vectors)
                .sum();
    }

    @Override
    public synchronized long read(int region, long offset, int width) {
        return file(region).read(offset, width);
    }

    private RegisterFile file(int region) {
        return region == VfioDevice.CONFIG ? config : bars.get(region).bytes();
    }

    @Override
    public void write(int region, long offset, int width, long value) {
        synchronized (this) {
            file(region).write(offset, width, value);
        }
        if (region == VfioDevice.CONFIG) {
            return;
        }
        DescribedBar bar = bars.get(region);
        for (Register register : bar.description().registers()) {
            if (offset < register.offset() + register.width()
                    && register.offset() < offset + width) {
                for (Action action : register.actions()) {
                    act(action, bar.bytes(), register);
                }
            }
        }
    }

    private void act(Action action, RegisterFile bytes, Register register) {
        long value = bytes.read(register.offset(), register.width());
        if (action instanceof Action.Signal signal) {
            wires.signal(signal.irq(), signal.vector());
        } else if (action instanceof Action.SignalWritten signal) {
            if (value >= 0 && value < irq(signal.irq()).count()) {
                wires.signal(signal.irq(), (int) value);
            }
        } else if (action instanceof Action.Level) {
            wires.level(value != 0);
        } else if (action instanceof Action.Copy copy) {
            copy(copy, bytes);
        } else if (action instanceof Action.Mailbox mailbox) {
            deliver(mailbox, bytes, register, value);
        }
    }

    private void copy(Action.Copy copy, RegisterFile bytes) {
        int status = 2;
        long length = bytes.read(copy.length(), 8);
        if (length > 0 && length <= MOST_COPIED) {
            byte[] data = new byte[(int) length];
            try {
                memory.read(wires, bytes.read(copy.source(), 8), data, copy.byMessages());
                memory.write(wires, bytes.read(copy.destination(), 8), data, copy.byMessages());
                status = 1;
            } catch (VfioException e) {
                // What a driver asks for may not be there; the status says so.
                LOG.log(Level.DEBUG, "no copy: {0}", e.getMessage());
            }
        }
        bytes.set(copy.status(), 4, status);
    }

    private synchronized void deliver(
            Action.Mailbox mailbox, RegisterFile bytes, Register register, long value) {
        Map<Integer, Long> values = cells.computeIfAbsent(mailbox, box -> new HashMap<>());
        int number = (int) (value >>> mailbox.shift()) & mailbox.numbers() - 1;
        Action.Cell cell = mailbox.cells().getOrDefault(number, new Action.Cell(0, -1));
        long held = values.getOrDefault(number, cell.value());
        long answer = value ^ mailbox.flag();
        if ((value & mailbox.flag()) != 0) {
            long written = value & mailbox.data();
            values.put(number, held & ~cell.writable() | written & cell.writable());
        } else {
            answer = answer & ~mailbox.data() | held & mailbox.data();
        }
        bytes.set(register.offset(), register.width(), answer);
    }

    /** Registers as they were at first, INTx low; memory without registers stays. */
    @Override
    public void reset() {
        synchronized (this) {
            config.reset();
            for (DescribedBar bar : bars.values()) {
                bar.restoreRegisters();
            }
            cells.clear();
            resets++;
        }
        wires.level(false);
    }

    @Override
    public void map(ServedMemory run) throws VfioException {
        memory.map(run);
    }

    @Override
    public void unmap(List<ServedMemory> runs) {
        runs.forEach(memory::unmap);
    }

    /** A register's value, without an access. */
    public synchronized long peek(int region, long offset, int width) {
        return file(region).read(offset, width);
    }

    /** Sets a register as the device itself does: no mask applies, and nothing acts. */
    public synchronized void poke(int region, long offset, int width, long value) {
        file(region).set(offset, width, value);
    }

    /** How often a client has reset it. */
    public synchronized int resets() {
        return resets;
    }

    /** How many runs of a client's memory it has. */
    public int memoryRuns() {
        return memory.count();
    }

    @Override
    public void close() {
        bars.values().stream().distinct().forEach(DescribedBar::close);
    }
}
