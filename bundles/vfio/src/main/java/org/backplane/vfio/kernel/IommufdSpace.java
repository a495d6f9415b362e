package org.backplane.vfio.kernel;

import static org.backplane.vfio.kernel.IommufdAbi.*;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.backplane.linux.Fd;
import org.backplane.linux.Ioctl;
import org.backplane.linux.LinuxException;
import org.backplane.linux.Mapping;
import org.backplane.memory.OffHeap;
import org.backplane.vfio.VfioException;

/**
 * An address space of {@code /dev/iommu}.
 *
 * @param file stays the caller's
 * @param id the kernel's number for it
 */
record IommufdSpace(HostKernel kernel, Fd file, int id) implements IoAddressSpace {
    private static final int FEW = 64;

    @Override
    public List<IovaRange> usable() throws VfioException {
        ByteBuffer query = Structures.sized(IOVA_RANGES_BYTES).putInt(IOVA_RANGES_ID, id);
        int room = FEW;
        int result = 0;
        for (int attempt = 0; attempt < 2; attempt++) {
            try (Mapping array = array(room)) {
                query.putInt(IOVA_RANGES_COUNT, room).putLong(IOVA_RANGES_ALLOWED, array.address());
                result = kernel.call(file, IOMMU_IOAS_IOVA_RANGES, query);
                if (result >= 0) {
                    return read(array, query.getInt(IOVA_RANGES_COUNT));
                }
            }
            if (result != -HostKernel.EMSGSIZE) {
                break;
            }
            room = query.getInt(IOVA_RANGES_COUNT);
        }
        throw new VfioException(
                "The host does not tell which addresses its IOMMU has: %s; see 'dmesg', or give the device with iommu=group."
                        .formatted(Ioctl.reason(-result)));
    }

    private static Mapping array(int count) throws VfioException {
        try {
            long bytes = (long) count * IOVA_RANGE_BYTES;
            return Mapping.anonymous(bytes, Mapping.Protection.READ_WRITE);
        } catch (LinuxException e) {
            throw new VfioException(
                    "There is no memory to ask for the IOMMU's addresses: %s; end other programs."
                            .formatted(e.getMessage()),
                    e);
        }
    }

    private static List<IovaRange> read(Mapping array, int count) {
        List<IovaRange> ranges = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            long at = array.address() + (long) i * IOVA_RANGE_BYTES;
            ranges.add(
                    new IovaRange(
                            OffHeap.getLong(at + IOVA_RANGE_START),
                            OffHeap.getLong(at + IOVA_RANGE_LAST)));
        }
        return ranges;
    }

    @Override
    public int map(long iova, long hostAddress, long length, boolean writable) {
        int flags =
                IOMMU_IOAS_MAP_FIXED_IOVA
                        | IOMMU_IOAS_MAP_READABLE
                        | (writable ? IOMMU_IOAS_MAP_WRITEABLE : 0);
        ByteBuffer map =
                Structures.sized(IOAS_MAP_BYTES)
                        .putInt(IOAS_MAP_FLAGS, flags)
                        .putInt(IOAS_MAP_ID, id)
                        .putLong(IOAS_MAP_ADDRESS, hostAddress)
                        .putLong(IOAS_MAP_LENGTH, length)
                        .putLong(IOAS_MAP_IOVA, iova);
        return kernel.call(file, IOMMU_IOAS_MAP, map);
    }

    @Override
    public int unmap(long iova, long length) {
        ByteBuffer unmap =
                Structures.sized(IOAS_UNMAP_BYTES)
                        .putInt(IOAS_UNMAP_ID, id)
                        .putLong(IOAS_UNMAP_IOVA, iova)
                        .putLong(IOAS_UNMAP_LENGTH, length);
        return kernel.call(file, IOMMU_IOAS_UNMAP, unmap);
    }
}
