package org.backplane.vfio.kernel;

import static org.backplane.vfio.kernel.VfioAbi.*;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.backplane.linux.Fd;
import org.backplane.linux.Ioctl;
import org.backplane.vfio.VfioException;

/**
 * The address space of a container with an IOMMU of type 1.
 *
 * @param container stays the caller's
 */
record Type1Space(HostKernel kernel, Fd container) implements IoAddressSpace {
    @Override
    public List<IovaRange> usable() throws VfioException {
        ByteBuffer info = Structures.sized(IOMMU_INFO_BYTES);
        int result = kernel.call(container, VFIO_IOMMU_GET_INFO, info);
        int whole = info.getInt(IOMMU_INFO_ARGSZ);
        if (result >= 0 && whole > IOMMU_INFO_BYTES) {
            info = Structures.sized(whole);
            result = kernel.call(container, VFIO_IOMMU_GET_INFO, info);
        }
        if (result < 0) {
            throw new VfioException(
                    "VFIO does not tell which addresses the host's IOMMU has: %s; see 'dmesg'."
                            .formatted(Ioctl.reason(-result)));
        }
        List<IovaRange> ranges = new ArrayList<>();
        boolean capabilities = (info.getInt(IOMMU_INFO_FLAGS) & VFIO_IOMMU_INFO_CAPS) != 0;
        if (capabilities && info.capacity() > IOMMU_INFO_CAP_OFFSET) {
            for (InfoCapability each :
                    InfoCapability.chain(info, info.getInt(IOMMU_INFO_CAP_OFFSET))) {
                if (each.id() == VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE) {
                    int count = each.u32(IOVA_CAP_COUNT);
                    for (int i = 0; i < count; i++) {
                        int at = IOVA_CAP_RANGES + i * IOVA_RANGE_BYTES;
                        ranges.add(
                                new IovaRange(
                                        each.u64(at + IOVA_RANGE_START),
                                        each.u64(at + IOVA_RANGE_END)));
                    }
                }
            }
        }
        return ranges;
    }

    @Override
    public int map(long iova, long hostAddress, long length, boolean writable) {
        int flags = VFIO_DMA_MAP_FLAG_READ | (writable ? VFIO_DMA_MAP_FLAG_WRITE : 0);
        ByteBuffer map =
                Structures.sized(DMA_MAP_BYTES)
                        .putInt(DMA_MAP_FLAGS, flags)
                        .putLong(DMA_MAP_VADDR, hostAddress)
                        .putLong(DMA_MAP_IOVA, iova)
                        .putLong(DMA_MAP_SIZE, length);
        return kernel.call(container, VFIO_IOMMU_MAP_DMA, map);
    }

    @Override
    public int unmap(long iova, long length) {
        ByteBuffer unmap =
                Structures.sized(DMA_UNMAP_BYTES)
                        .putLong(DMA_UNMAP_IOVA, iova)
                        .putLong(DMA_UNMAP_SIZE, length);
        return kernel.call(container, VFIO_IOMMU_UNMAP_DMA, unmap);
    }
}
