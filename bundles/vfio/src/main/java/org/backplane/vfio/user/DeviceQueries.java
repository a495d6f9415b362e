package org.backplane.vfio.user;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.backplane.linux.Fd;
import org.backplane.linux.LinuxException;
import org.backplane.linux.Mapping;
import org.backplane.linux.Memfd;
import org.backplane.vfio.IrqInfo;
import org.backplane.vfio.RegionInfo;
import org.backplane.vfio.VfioException;

/**
 * Asks a server what its device is. Of the regions, only what is safe to map counts as mappable: a
 * descriptor whose memory cannot shrink, and no byte of it that is not there. A processor that
 * touches a page behind the end of its file takes this whole process with it.
 */
final class DeviceQueries {
    /** What most regions need, areas to map included; a server that needs more says so. */
    private static final int ROOM = 1024;

    /** Longest description that is asked for. */
    private static final int MOST_ROOM = 1 << 16;

    private final String name;
    private final ClientConnection connection;
    private final List<Fd> mappings;
    private final Deadline deadline;
    private final Map<Integer, String> unmapped = new HashMap<>();

    /**
     * @param mappings to which a descriptor is added for each region, null where none is
     * @param deadline of all questions
     */
    DeviceQueries(String name, ClientConnection connection, List<Fd> mappings, Deadline deadline) {
        this.name = name;
        this.connection = connection;
        this.mappings = mappings;
        this.deadline = deadline;
    }

    DeviceShape shape() throws VfioException {
        ByteBuffer info = Message.payload(Wire.INFO_BYTES);
        info.putInt(Wire.ARGSZ, Wire.INFO_BYTES);
        ByteBuffer reply =
                connection
                        .request(deadline, Wire.DEVICE_GET_INFO, info, List.of(), Wire.INFO_BYTES)
                        .payload();
        int flags = reply.getInt(Wire.INFO_FLAGS);
        if ((flags & Wire.INFO_PCI) == 0) {
            throw new VfioException(
                    "The device at '%s' is no PCI device, and only those can be in a slot; give the socket of another server."
                            .formatted(name));
        }
        int regionCount = reply.getInt(Wire.INFO_REGIONS);
        int irqCount = reply.getInt(Wire.INFO_IRQS);
        List<RegionInfo> regions = new ArrayList<>();
        for (int i = 0; i < Wire.REGIONS; i++) {
            regions.add(Integer.compareUnsigned(i, regionCount) < 0 ? region(i) : absentRegion(i));
            if (mappings.size() <= i) {
                mappings.add(null);
            }
        }
        List<IrqInfo> irqs = new ArrayList<>();
        for (int i = 0; i < Wire.IRQS; i++) {
            irqs.add(Integer.compareUnsigned(i, irqCount) < 0 ? irq(i) : absentIrq(i));
        }
        return new DeviceShape((flags & Wire.INFO_RESET) != 0, regions, irqs, unmapped);
    }

    static RegionInfo absentRegion(int index) {
        return new RegionInfo(index, 0, false, false, 0, List.of(), false);
    }

    static IrqInfo absentIrq(int index) {
        return new IrqInfo(index, 0, false, false, false, false);
    }

    private RegionInfo region(int index) throws VfioException {
        Message reply = regionReply(index, ROOM);
        int needed = reply.payload().getInt(Wire.ARGSZ);
        if (needed > ROOM && needed <= MOST_ROOM) {
            reply.closeDescriptors();
            reply = regionReply(index, needed);
            needed = reply.payload().getInt(Wire.ARGSZ);
        }
        try {
            if (reply.descriptors().size() > 1 || needed > reply.payload().limit()) {
                throw new ProtocolException(
                        "region %d was described in %d of %d bytes and with %d descriptors"
                                .formatted(
                                        index,
                                        reply.payload().limit(),
                                        Integer.toUnsignedLong(needed),
                                        reply.descriptors().size()));
            }
            return mappable(RegionLayout.read(reply.payload(), index), reply.descriptors());
        } catch (IOException e) {
            reply.closeDescriptors();
            throw connection.lost(e);
        }
    }

    private Message regionReply(int index, int room) throws VfioException {
        ByteBuffer request = Message.payload(Wire.REGION_BYTES);
        request.putInt(Wire.ARGSZ, room);
        request.putInt(Wire.REGION_INDEX, index);
        return connection.requestWithDescriptors(
                deadline, Wire.DEVICE_GET_REGION_INFO, request, List.of(), Wire.REGION_BYTES);
    }

    private RegionInfo mappable(RegionInfo region, List<Fd> descriptors) throws IOException {
        if (!region.mappable().isEmpty()) {
            Optional<String> reason =
                    descriptors.isEmpty()
                            ? Optional.of("no descriptor came with its description")
                            : hindrance(region, descriptors.get(0));
            if (reason.isEmpty()) {
                mappings.add(descriptors.get(0));
                return region;
            }
            unmapped.put(region.index(), reason.get());
        }
        descriptors.forEach(Fd::close);
        return new RegionInfo(
                region.index(),
                region.size(),
                region.readable(),
                region.writable(),
                0,
                List.of(),
                false);
    }

    /** Why a region must not be mapped from a descriptor, or cannot; empty if it will do. */
    private static Optional<String> hindrance(RegionInfo region, Fd descriptor) throws IOException {
        if (!Memfd.keepsSize(descriptor)) {
            return Optional.of(
                    "its descriptor is of something that can shrink; the server has to give memory whose size can be sealed");
        }
        RegionInfo.Area last = region.mappable().get(region.mappable().size() - 1);
        long end = region.fileOffset() + last.offset() + last.length();
        if (end > descriptor.size()) {
            return Optional.of(
                    "its descriptor ends at 0x%x, and the area at 0x%x"
                            .formatted(descriptor.size(), end));
        }
        return refusal(region, descriptor);
    }

    /**
     * What the kernel has against it: the descriptor may be open for reading only, or not aligned.
     */
    private static Optional<String> refusal(RegionInfo region, Fd descriptor) {
        Mapping.Protection protection =
                region.writable() ? Mapping.Protection.READ_WRITE : Mapping.Protection.READ;
        int page = Mapping.pageSize();
        try (Mapping probe = Mapping.shared(descriptor, region.fileOffset(), page, protection)) {
            return probe.length() == page ? Optional.empty() : Optional.of("it is no whole page");
        } catch (LinuxException e) {
            return Optional.of(e.getMessage());
        }
    }

    private IrqInfo irq(int index) throws VfioException {
        ByteBuffer request = Message.payload(Wire.IRQ_BYTES);
        request.putInt(Wire.ARGSZ, Wire.IRQ_BYTES);
        request.putInt(Wire.IRQ_INDEX, index);
        ByteBuffer reply =
                connection
                        .request(
                                deadline,
                                Wire.DEVICE_GET_IRQ_INFO,
                                request,
                                List.of(),
                                Wire.IRQ_BYTES)
                        .payload();
        int flags = reply.getInt(Wire.IRQ_FLAGS);
        int count = reply.getInt(Wire.IRQ_COUNT);
        if (reply.getInt(Wire.IRQ_INDEX) != index || count < 0) {
            throw connection.lost(
                    new ProtocolException(
                            "interrupt %d was asked for, and %d with %d vectors described"
                                    .formatted(
                                            index,
                                            reply.getInt(Wire.IRQ_INDEX),
                                            Integer.toUnsignedLong(count))));
        }
        return new IrqInfo(
                index,
                count,
                (flags & Wire.IRQ_EVENTFD) != 0,
                (flags & Wire.IRQ_MASKABLE) != 0,
                (flags & Wire.IRQ_AUTOMASKED) != 0,
                (flags & Wire.IRQ_NORESIZE) == 0);
    }
}
