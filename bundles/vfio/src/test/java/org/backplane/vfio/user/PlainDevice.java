package org.backplane.vfio.user;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.backplane.linux.Fd;
import org.backplane.linux.Mapping;
import org.backplane.linux.Memfd;
import org.backplane.memory.OffHeap;
import org.backplane.vfio.IrqInfo;
import org.backplane.vfio.RegionInfo;
import org.backplane.vfio.RegionInfo.Area;
import org.backplane.vfio.VfioDevice;
import org.backplane.vfio.VfioException;

/**
 * A device for tests of both ends: BAR 0 is 4 KiB of registers by messages, BAR 2 is 16 KiB of
 * memory of which the last 8 KiB can be mapped; one INTx, four MSI-X. Some registers act.
 */
class PlainDevice implements ServedDevice, AutoCloseable {
    /** Register of BAR 0: a write copies eight bytes at that address of the client to SEEN. */
    static final long FETCH = 0x100;

    /** Register of BAR 0: a write stores SEEN at that address of the client. */
    static final long STORE = 0x108;

    static final long SEEN = 0x110;

    /** Register of BAR 0: a write drives INTx. */
    static final long LEVEL = 0x118;

    /** Register of BAR 0: a write signals the MSI-X vector. */
    static final long SIGNAL = 0x120;

    /** Register of BAR 0: a write reads eight bytes at that address through the mapping. */
    static final long LOAD = 0x128;

    /** Register of BAR 0: an access throws. */
    static final long BROKEN = 0x130;

    static final long WINDOW = 16384;

    private final byte[] registers = new byte[4096];
    private final byte[] config = new byte[256];
    private final Memfd window;
    private final Mapping windowMapping;
    private final List<Area> areas;
    private final Map<ServedMemory, Mapping> mappings = new HashMap<>();

    /** Widths and offsets as they came: {@code R4@10}. */
    final List<String> accesses = new CopyOnWriteArrayList<>();

    final List<ServedMemory> memory = new CopyOnWriteArrayList<>();
    volatile ServedWires wires;
    volatile int resets;

    /** How often the client took memory back. */
    volatile int unmappings;

    /** How often the client has finished with INTx. */
    volatile int finished;

    PlainDevice() throws IOException {
        this(List.of(new Area(8192, 8192)));
    }

    PlainDevice(List<Area> areas) throws IOException {
        this.areas = areas;
        window = Memfd.create("window", WINDOW);
        windowMapping = Mapping.shared(window, 0, WINDOW, Mapping.Protection.READ_WRITE);
    }

    @Override
    public void wired(ServedWires given) {
        wires = given;
    }

    @Override
    public boolean resettable() {
        return true;
    }

    @Override
    public RegionInfo region(int index) {
        return switch (index) {
            case 0 -> new RegionInfo(0, registers.length, true, true, 0, List.of(), false);
            case 1 -> new RegionInfo(1, 64, false, true, 0, List.of(), false);
            case 2 -> new RegionInfo(2, WINDOW, true, true, 0, areas, true);
            case VfioDevice.CONFIG ->
                    new RegionInfo(index, config.length, true, true, 0, List.of(), false);
            default -> new RegionInfo(index, 0, false, false, 0, List.of(), false);
        };
    }

    @Override
    public Optional<Fd> mapping(int region) {
        return region == 2 ? Optional.of(window) : Optional.empty();
    }

    @Override
    public IrqInfo irq(int index) {
        return switch (index) {
            case VfioDevice.INTX -> new IrqInfo(index, 1, true, true, true, true);
            case VfioDevice.MSIX -> new IrqInfo(index, 40, true, true, false, true);
            default -> new IrqInfo(index, 0, false, false, false, false);
        };
    }

    @Override
    public long read(int region, long offset, int width) throws VfioException {
        accesses.add("R%d@%x".formatted(width, offset));
        if (region == 0 && offset == BROKEN) {
            throw new IllegalStateException("broken on purpose");
        }
        long value = 0;
        for (int i = width - 1; i >= 0; i--) {
            value = value << 8 | get(region, offset + i) & 0xff;
        }
        return value;
    }

    private byte get(int region, long offset) {
        return switch (region) {
            case 0 -> registers[(int) offset];
            case 2 -> OffHeap.getByte(windowMapping.address() + offset);
            default -> config[(int) offset];
        };
    }

    @Override
    public void write(int region, long offset, int width, long value) throws VfioException {
        accesses.add("W%d@%x".formatted(width, offset));
        for (int i = 0; i < width; i++) {
            byte piece = (byte) (value >>> 8 * i);
            switch (region) {
                case 0 -> registers[(int) offset + i] = piece;
                case 2 -> OffHeap.putByte(windowMapping.address() + offset + i, piece);
                case VfioDevice.CONFIG -> config[(int) offset + i] = piece;
                default -> {
                    // Region 1 takes anything and keeps nothing.
                }
            }
        }
        if (region == 0) {
            act(offset, value);
        }
    }

    private void act(long offset, long value) throws VfioException {
        if (offset == FETCH) {
            byte[] bytes = new byte[8];
            wires.readMemory(value, bytes);
            System.arraycopy(bytes, 0, registers, (int) SEEN, 8);
        } else if (offset == STORE) {
            byte[] bytes = new byte[8];
            System.arraycopy(registers, (int) SEEN, bytes, 0, 8);
            wires.writeMemory(value, bytes);
        } else if (offset == LEVEL) {
            wires.level(value != 0);
        } else if (offset == SIGNAL) {
            wires.signal(VfioDevice.MSIX, (int) value);
        } else if (offset == LOAD) {
            long seen = OffHeap.getLong(host(value));
            for (int i = 0; i < 8; i++) {
                registers[(int) SEEN + i] = (byte) (seen >>> 8 * i);
            }
        } else if (offset == BROKEN) {
            throw new VfioException("broken on purpose");
        }
    }

    private long host(long address) throws VfioException {
        for (Map.Entry<ServedMemory, Mapping> entry : mappings.entrySet()) {
            ServedMemory run = entry.getKey();
            if (address >= run.address() && address <= run.end() - 8) {
                return entry.getValue().address() + (address - run.address());
            }
        }
        throw new VfioException("nothing is mapped at 0x%x".formatted(address));
    }

    @Override
    public void interruptFinished() {
        finished++;
    }

    @Override
    public void reset() {
        resets++;
    }

    @Override
    public void map(ServedMemory run) throws VfioException {
        try {
            if (run.descriptor().isPresent()) {
                mappings.put(
                        run,
                        Mapping.shared(
                                run.descriptor().get(),
                                run.offset(),
                                run.length(),
                                run.writable()
                                        ? Mapping.Protection.READ_WRITE
                                        : Mapping.Protection.READ));
            }
        } catch (IOException e) {
            throw new VfioException(e.getMessage(), e);
        }
        memory.add(run);
    }

    @Override
    public void unmap(List<ServedMemory> runs) {
        unmappings++;
        for (ServedMemory run : runs) {
            memory.remove(run);
            Mapping mapping = mappings.remove(run);
            if (mapping != null) {
                mapping.close();
            }
        }
    }

    /** Sets a register without an access. */
    void poke(long offset, long value) {
        for (int i = 0; i < 8; i++) {
            registers[(int) offset + i] = (byte) (value >>> 8 * i);
        }
    }

    List<String> takeAccesses() {
        List<String> taken = new ArrayList<>(accesses);
        accesses.clear();
        return taken;
    }

    @Override
    public void close() {
        windowMapping.close();
        window.close();
    }
}
