package org.backplane.vfio.kernel;

import static org.backplane.vfio.kernel.IommufdAbi.*;
import static org.backplane.vfio.kernel.VfioAbi.*;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import org.backplane.linux.Fd;
import org.backplane.linux.LinuxException;
import org.backplane.linux.OpenFlag;
import org.backplane.memory.OffHeap;

/**
 * A kernel that keeps count of what is open, attached and mapped, as VFIO does: a group is opened
 * once, an address space is lost with its last group, mappings do not overlap.
 */
final class PlayedKernel implements HostKernel {
    static final int EIO = 5;
    static final int EADDRINUSE = 98;

    private final Path deviceFile;
    final List<Fd> opened = new ArrayList<>();
    final Map<Long, Long> maps = new TreeMap<>();

    /** Groups and devices, with the container or address space that each is in. */
    final Map<Integer, Integer> attached = new HashMap<>();

    /** Where the mappings are. */
    private int mappedIn = -1;

    private int spaces;
    final List<ByteBuffer> irqSets = new ArrayList<>();

    /** Answers instead of the played one. */
    final Map<Long, Integer> answers = new HashMap<>();

    /** The call that fails, counted from one; none if zero. */
    int failing;

    int calls;
    int mostMappings = Integer.MAX_VALUE;
    List<IovaRange> usable = List.of(new IovaRange(0, (1L << 39) - 1));
    long unmappable = -1;

    /** What the group or device with such a file's name can use, if less than that. */
    final Map<String, List<IovaRange>> reach = new HashMap<>();

    /** Whether it looks at what is mapped when somebody joins, as Linux does from 5.4 on. */
    boolean compares = true;

    /** Told of each guest address before it is mapped. */
    LongConsumer onMap = iova -> {};

    /**
     * @param deviceFile what a device's regions are read from
     */
    PlayedKernel(Path deviceFile) {
        this.deviceFile = deviceFile;
    }

    List<String> open() {
        return opened.stream().filter(Fd::isOpen).map(Fd::name).toList();
    }

    private boolean fails() {
        return ++calls == failing;
    }

    private Fd file(Path path) throws Refusal {
        try {
            Fd fd = Fd.open(path, OpenFlag.READ, OpenFlag.WRITE);
            opened.add(fd);
            return fd;
        } catch (LinuxException e) {
            throw new Refusal(e.errno());
        }
    }

    @Override
    public Fd open(Path path) throws Refusal {
        if (fails()) {
            throw new Refusal(EIO);
        }
        if (path.getFileName().toString().matches("\\d+") && open().contains("'" + path + "'")) {
            throw new Refusal(EBUSY);
        }
        return file(path);
    }

    @Override
    public Fd open(Fd by, long request, ByteBuffer structure, String name) throws Refusal {
        if (fails()) {
            throw new Refusal(EIO);
        }
        return file(deviceFile);
    }

    @Override
    public int call(Fd fd, long request, long argument) {
        if (fails()) {
            return -EIO;
        }
        if (!fd.isOpen()) {
            return -9;
        }
        if (answers.containsKey(request)) {
            return answers.get(request);
        }
        if (request == VFIO_CHECK_EXTENSION) {
            return 1;
        }
        if (request == VFIO_GROUP_UNSET_CONTAINER) {
            attached.remove(fd.number());
            if (!attached.containsValue(mappedIn)) {
                maps.clear();
            }
        }
        return 0;
    }

    @Override
    public int call(Fd fd, long request, ByteBuffer structure) {
        if (fails()) {
            return -EIO;
        }
        if (!fd.isOpen()) {
            return -9;
        }
        if (answers.containsKey(request)) {
            return answers.get(request);
        }
        if (request == VFIO_GROUP_GET_STATUS) {
            structure.putInt(GROUP_STATUS_FLAGS, VFIO_GROUP_FLAGS_VIABLE);
        } else if (request == VFIO_GROUP_SET_CONTAINER) {
            return attach(fd, structure.getInt(0), EINVAL);
        } else if (request == VFIO_DEVICE_ATTACH_IOMMUFD_PT) {
            return attach(fd, structure.getInt(ATTACH_SPACE), EADDRINUSE);
        } else if (request == IOMMU_IOAS_ALLOC) {
            structure.putInt(IOAS_ALLOC_ID, ++spaces);
        } else if (request == VFIO_DEVICE_DETACH_IOMMUFD_PT) {
            attached.remove(fd.number());
        } else if (request == VFIO_IOMMU_GET_INFO) {
            iommuInfo(structure, usable(fd.number()));
        } else if (request == VFIO_IOMMU_MAP_DMA) {
            mappedIn = fd.number();
            return map(structure.getLong(DMA_MAP_IOVA), structure.getLong(DMA_MAP_SIZE));
        } else if (request == VFIO_IOMMU_UNMAP_DMA) {
            return unmap(structure.getLong(DMA_UNMAP_IOVA), structure.getLong(DMA_UNMAP_SIZE));
        } else if (request == IOMMU_IOAS_MAP) {
            mappedIn = structure.getInt(IOAS_MAP_ID);
            return map(structure.getLong(IOAS_MAP_IOVA), structure.getLong(IOAS_MAP_LENGTH));
        } else if (request == IOMMU_IOAS_UNMAP) {
            return unmap(structure.getLong(IOAS_UNMAP_IOVA), structure.getLong(IOAS_UNMAP_LENGTH));
        } else if (request == IOMMU_IOAS_IOVA_RANGES) {
            return iovaRanges(structure, usable(structure.getInt(IOVA_RANGES_ID)));
        } else if (request == VFIO_DEVICE_GET_INFO) {
            structure.putInt(DEVICE_INFO_FLAGS, VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET);
            structure.putInt(DEVICE_INFO_REGIONS, 9).putInt(DEVICE_INFO_IRQS, 5);
        } else if (request == VFIO_DEVICE_GET_REGION_INFO) {
            return region(structure);
        } else if (request == VFIO_DEVICE_GET_IRQ_INFO) {
            boolean msix = structure.getInt(IRQ_INFO_INDEX) == 2;
            structure.putInt(IRQ_INFO_COUNT, msix ? 65 : 0);
            structure.putInt(IRQ_INFO_FLAGS, VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE);
        } else if (request == VFIO_DEVICE_SET_IRQS) {
            irqSets.add(structure);
        }
        return 0;
    }

    private int attach(Fd fd, int space, int refusal) {
        boolean fits =
                maps.entrySet().stream()
                        .allMatch(
                                m ->
                                        reach(fd.name()).stream()
                                                .anyMatch(
                                                        r -> r.contains(m.getKey(), m.getValue())));
        if (compares && space == mappedIn && !fits) {
            return -refusal;
        }
        attached.put(fd.number(), space);
        return 0;
    }

    private List<IovaRange> reach(String name) {
        return reach.entrySet().stream()
                .filter(each -> name.contains(each.getKey()))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElse(usable);
    }

    /** Of an address space: what the one in it with the least can use. */
    private List<IovaRange> usable(int space) {
        return opened.stream()
                .filter(Fd::isOpen)
                .filter(fd -> Integer.valueOf(space).equals(attached.get(fd.number())))
                .map(fd -> reach(fd.name()))
                .filter(ranges -> ranges != usable)
                .findFirst()
                .orElse(usable);
    }

    private static int iovaRanges(ByteBuffer query, List<IovaRange> ranges) {
        int room = query.getInt(IOVA_RANGES_COUNT);
        query.putInt(IOVA_RANGES_COUNT, ranges.size());
        if (ranges.size() > room) {
            return -EMSGSIZE;
        }
        long at = query.getLong(IOVA_RANGES_ALLOWED);
        for (IovaRange range : ranges) {
            OffHeap.putLong(at + IommufdAbi.IOVA_RANGE_START, range.first());
            OffHeap.putLong(at + IommufdAbi.IOVA_RANGE_LAST, range.last());
            at += IommufdAbi.IOVA_RANGE_BYTES;
        }
        return 0;
    }

    private int map(long iova, long length) {
        onMap.accept(iova);
        if (iova == unmappable) {
            return -EFAULT;
        }
        if (maps.size() >= mostMappings) {
            return -ENOSPC;
        }
        boolean taken =
                maps.entrySet().stream()
                        .anyMatch(
                                m ->
                                        iova < m.getKey() + m.getValue()
                                                && m.getKey() < iova + length);
        if (taken) {
            return -EEXIST;
        }
        maps.put(iova, length);
        return 0;
    }

    private int unmap(long iova, long length) {
        return maps.remove(iova, length) ? 0 : -EINVAL;
    }

    /** With the ranges behind another capability, for those who ask with room enough. */
    private static void iommuInfo(ByteBuffer info, List<IovaRange> usable) {
        int ranges = IOMMU_INFO_BYTES + CAP_HEADER_BYTES;
        int whole = ranges + IOVA_CAP_RANGES + usable.size() * VfioAbi.IOVA_RANGE_BYTES;
        info.putInt(IOMMU_INFO_FLAGS, VFIO_IOMMU_INFO_CAPS).putInt(IOMMU_INFO_ARGSZ, whole);
        if (info.capacity() < whole) {
            return;
        }
        info.putInt(IOMMU_INFO_CAP_OFFSET, IOMMU_INFO_BYTES);
        header(info, IOMMU_INFO_BYTES, 3, ranges);
        header(info, ranges, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE, 0);
        info.putInt(ranges + IOVA_CAP_COUNT, usable.size());
        int at = ranges + IOVA_CAP_RANGES;
        for (IovaRange range : usable) {
            info.putLong(at, range.first()).putLong(at + 8, range.last());
            at += VfioAbi.IOVA_RANGE_BYTES;
        }
    }

    private static void header(ByteBuffer info, int at, int id, int next) {
        info.putShort(at + CAP_HEADER_ID, (short) id).putInt(at + CAP_HEADER_NEXT, next);
    }

    /**
     * BAR 0 of 16 KiB with an area before and one behind its table, BAR 2 of 4 KiB as a whole, I/O
     * BAR 4, configuration space; no VGA.
     */
    private static int region(ByteBuffer info) {
        int index = info.getInt(REGION_INFO_INDEX);
        int read = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
        info.putLong(REGION_INFO_OFFSET, 0x10000L * index);
        switch (index) {
            case 0 -> {
                int sparse = REGION_INFO_BYTES + CAP_HEADER_BYTES;
                int whole = sparse + SPARSE_AREAS + 3 * SPARSE_AREA_BYTES;
                info.putLong(REGION_INFO_SIZE, 0x4000).putInt(REGION_INFO_ARGSZ, whole);
                info.putInt(
                        REGION_INFO_FLAGS,
                        read | VFIO_REGION_INFO_FLAG_MMAP | VFIO_REGION_INFO_FLAG_CAPS);
                if (info.capacity() >= whole) {
                    info.putInt(REGION_INFO_CAP_OFFSET, REGION_INFO_BYTES);
                    header(info, REGION_INFO_BYTES, VFIO_REGION_INFO_CAP_MSIX_MAPPABLE, sparse);
                    header(info, sparse, VFIO_REGION_INFO_CAP_SPARSE_MMAP, 0);
                    info.putInt(sparse + SPARSE_COUNT, 3);
                    int at = sparse + SPARSE_AREAS;
                    info.putLong(at, 0x3000).putLong(at + 8, 0x1000);
                    info.putLong(at + 16, 0).putLong(at + 24, 0x2000);
                    // Beyond the region's end, as no kernel should say.
                    info.putLong(at + 32, 0x3000).putLong(at + 40, 0x2000);
                }
            }
            case 2 ->
                    info.putLong(REGION_INFO_SIZE, 0x1000)
                            .putInt(REGION_INFO_FLAGS, read | VFIO_REGION_INFO_FLAG_MMAP);
            case 4 -> info.putLong(REGION_INFO_SIZE, 0x20).putInt(REGION_INFO_FLAGS, read);
            case 7 -> info.putLong(REGION_INFO_SIZE, 0x100).putInt(REGION_INFO_FLAGS, read);
            case 8 -> {
                return -EINVAL;
            }
            default -> info.putLong(REGION_INFO_SIZE, 0);
        }
        return 0;
    }
}
