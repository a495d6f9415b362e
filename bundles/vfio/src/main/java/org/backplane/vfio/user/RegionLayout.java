package org.backplane.vfio.user;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.backplane.vfio.RegionInfo;
import org.backplane.vfio.RegionInfo.Area;

/**
 * A region's description as a reply of {@code VFIO_USER_DEVICE_GET_REGION_INFO} has it: {@code
 * struct vfio_region_info} and its chain of capabilities.
 */
final class RegionLayout {
    private RegionLayout() {}

    /**
     * The reply's payload.
     *
     * @param most bytes that the client takes, its {@code argsz}: at least the structure; the chain
     *     is left out where it does not fit, and {@code argsz} tells what would do
     */
    static ByteBuffer write(RegionInfo region, int most) {
        boolean sparse = !isWhole(region);
        int chain = 0;
        if (sparse) {
            chain += Wire.SPARSE_AREAS + region.mappable().size() * Wire.AREA_BYTES;
        }
        if (region.msixMappable()) {
            chain += Wire.CAP_BYTES;
        }
        int all = Wire.REGION_BYTES + chain;
        boolean fits = chain > 0 && Integer.compareUnsigned(all, most) <= 0;
        ByteBuffer payload = Message.payload(fits ? all : Wire.REGION_BYTES);
        int flags =
                (region.readable() ? Wire.REGION_READABLE : 0)
                        | (region.writable() ? Wire.REGION_WRITABLE : 0)
                        | (region.mappable().isEmpty() ? 0 : Wire.REGION_MMAP)
                        | (chain > 0 ? Wire.REGION_CAPS : 0);
        payload.putInt(Wire.ARGSZ, all);
        payload.putInt(Wire.REGION_FLAGS, flags);
        payload.putInt(Wire.REGION_INDEX, region.index());
        // Also where the chain does not fit: QEMU takes 0 there for a mistake, and does not come
        // back
        // with more room.
        payload.putInt(Wire.REGION_CAP_OFFSET, chain > 0 ? Wire.REGION_BYTES : 0);
        payload.putLong(Wire.REGION_SIZE, region.size());
        payload.putLong(Wire.REGION_OFFSET, region.fileOffset());
        if (fits) {
            writeChain(payload, region, sparse);
        }
        return payload;
    }

    /** Whether no list of areas is needed to say what can be mapped. */
    private static boolean isWhole(RegionInfo region) {
        return region.mappable().isEmpty()
                || region.mappable().equals(List.of(new Area(0, region.size())));
    }

    private static void writeChain(ByteBuffer payload, RegionInfo region, boolean sparse) {
        int at = Wire.REGION_BYTES;
        if (sparse) {
            int end = at + Wire.SPARSE_AREAS + region.mappable().size() * Wire.AREA_BYTES;
            writeHeader(payload, at, Wire.CAP_SPARSE_MMAP, region.msixMappable() ? end : 0);
            payload.putInt(at + Wire.SPARSE_COUNT, region.mappable().size());
            int next = at + Wire.SPARSE_AREAS;
            for (Area area : region.mappable()) {
                payload.putLong(next, area.offset());
                payload.putLong(next + Wire.AREA_SIZE, area.length());
                next += Wire.AREA_BYTES;
            }
            at = end;
        }
        if (region.msixMappable()) {
            writeHeader(payload, at, Wire.CAP_MSIX_MAPPABLE, 0);
        }
    }

    private static void writeHeader(ByteBuffer payload, int at, int id, int next) {
        payload.putShort(at + Wire.CAP_ID, (short) id);
        payload.putShort(at + Wire.CAP_VERSION, (short) 1);
        payload.putInt(at + Wire.CAP_NEXT, next);
    }

    /**
     * Reads a reply that holds its whole chain.
     *
     * @throws ProtocolException it contradicts itself
     */
    static RegionInfo read(ByteBuffer payload, int index) throws ProtocolException {
        int flags = payload.getInt(Wire.REGION_FLAGS);
        long size = payload.getLong(Wire.REGION_SIZE);
        long offset = payload.getLong(Wire.REGION_OFFSET);
        if (payload.getInt(Wire.REGION_INDEX) != index) {
            throw new ProtocolException(
                    "region %d was asked for, and region %d described"
                            .formatted(index, payload.getInt(Wire.REGION_INDEX)));
        }
        if (size < 0 || offset < 0 || size > Long.MAX_VALUE - offset) {
            throw new ProtocolException(
                    "region %d has 0x%x bytes at offset 0x%x".formatted(index, size, offset));
        }
        List<Area> areas = new ArrayList<>();
        boolean msixMappable = false;
        boolean sparse = false;
        if ((flags & Wire.REGION_CAPS) != 0) {
            Set<Integer> seen = new HashSet<>();
            int at = payload.getInt(Wire.REGION_CAP_OFFSET);
            while (at != 0) {
                if (at < Wire.REGION_BYTES
                        || at > payload.limit() - Wire.CAP_BYTES
                        || !seen.add(at)) {
                    throw new ProtocolException(
                            "region %d has a capability at 0x%x, which cannot be"
                                    .formatted(index, at));
                }
                switch (Short.toUnsignedInt(payload.getShort(at + Wire.CAP_ID))) {
                    case Wire.CAP_SPARSE_MMAP -> {
                        sparse = true;
                        readAreas(payload, at, index, size, areas);
                    }
                    case Wire.CAP_MSIX_MAPPABLE -> msixMappable = true;
                    default -> {
                        // What is not known here says nothing of what can be mapped.
                    }
                }
                at = payload.getInt(at + Wire.CAP_NEXT);
            }
        }
        if ((flags & Wire.REGION_MMAP) == 0) {
            areas.clear();
        } else if (!sparse && size > 0) {
            areas.add(new Area(0, size));
        }
        return new RegionInfo(
                index,
                size,
                (flags & Wire.REGION_READABLE) != 0,
                (flags & Wire.REGION_WRITABLE) != 0,
                offset,
                areas,
                msixMappable);
    }

    private static void readAreas(
            ByteBuffer payload, int at, int index, long size, List<Area> areas)
            throws ProtocolException {
        int room = payload.limit() - at - Wire.SPARSE_AREAS;
        int count = room < 0 ? -1 : payload.getInt(at + Wire.SPARSE_COUNT);
        if (count < 0 || count > room / Wire.AREA_BYTES) {
            throw new ProtocolException(
                    "region %d has more areas to map than its description holds".formatted(index));
        }
        for (int i = 0; i < count; i++) {
            int entry = at + Wire.SPARSE_AREAS + i * Wire.AREA_BYTES;
            long length = payload.getLong(entry + Wire.AREA_SIZE);
            if (length != 0) {
                areas.add(new Area(payload.getLong(entry), length));
            }
        }
        areas.sort(Comparator.comparingLong(Area::offset));
        long end = 0;
        for (Area area : areas) {
            if (area.offset() < end || area.length() < 0 || area.length() > size - area.offset()) {
                throw new ProtocolException(
                        "region %d of 0x%x bytes has 0x%x bytes at 0x%x to map, outside of it or of another such area"
                                .formatted(index, size, area.length(), area.offset()));
            }
            end = area.offset() + area.length();
        }
    }
}
