package org.backplane.vfio.kernel;

import static org.backplane.vfio.kernel.VfioAbi.*;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.backplane.linux.Fd;
import org.backplane.linux.Ioctl;
import org.backplane.vfio.IrqInfo;
import org.backplane.vfio.RegionInfo;
import org.backplane.vfio.RegionInfo.Area;
import org.backplane.vfio.VfioException;

/** What a device says of itself. */
record DeviceQueries(HostKernel kernel, Fd device) {
    /**
     * @param regions how many the kernel numbers
     * @param irqs how many kinds of interrupts it numbers
     */
    record DeviceInfo(boolean resettable, int regions, int irqs) {}

    DeviceInfo info() throws VfioException {
        ByteBuffer info = Structures.sized(DEVICE_INFO_BYTES);
        check(kernel.call(device, VFIO_DEVICE_GET_INFO, info), "say what it is");
        int flags = info.getInt(DEVICE_INFO_FLAGS);
        if ((flags & VFIO_DEVICE_FLAGS_PCI) == 0) {
            throw new VfioException(
                    "%s is no PCI device to VFIO (flags 0x%x); give another device."
                            .formatted(device.name(), flags));
        }
        return new DeviceInfo(
                (flags & VFIO_DEVICE_FLAGS_RESET) != 0,
                Math.min(info.getInt(DEVICE_INFO_REGIONS), VFIO_PCI_NUM_REGIONS),
                Math.min(info.getInt(DEVICE_INFO_IRQS), VFIO_PCI_NUM_IRQS));
    }

    RegionInfo region(int index) throws VfioException {
        ByteBuffer info = regionInfo(index, REGION_INFO_BYTES);
        if (info == null) {
            return absentRegion(index);
        }
        int whole = info.getInt(REGION_INFO_ARGSZ);
        if (whole > REGION_INFO_BYTES) {
            info = regionInfo(index, whole);
            if (info == null) {
                return absentRegion(index);
            }
        }
        int flags = info.getInt(REGION_INFO_FLAGS);
        long size = info.getLong(REGION_INFO_SIZE);
        List<Area> areas = new ArrayList<>();
        if (size > 0 && (flags & VFIO_REGION_INFO_FLAG_MMAP) != 0) {
            areas.add(new Area(0, size));
        }
        boolean msixMappable = false;
        if ((flags & VFIO_REGION_INFO_FLAG_CAPS) != 0) {
            for (InfoCapability each :
                    InfoCapability.chain(info, info.getInt(REGION_INFO_CAP_OFFSET))) {
                if (each.id() == VFIO_REGION_INFO_CAP_SPARSE_MMAP && !areas.isEmpty()) {
                    areas = sparse(each, size);
                }
                msixMappable |= each.id() == VFIO_REGION_INFO_CAP_MSIX_MAPPABLE;
            }
        }
        return new RegionInfo(
                index,
                size,
                (flags & VFIO_REGION_INFO_FLAG_READ) != 0,
                (flags & VFIO_REGION_INFO_FLAG_WRITE) != 0,
                info.getLong(REGION_INFO_OFFSET),
                areas,
                msixMappable);
    }

    static RegionInfo absentRegion(int index) {
        return new RegionInfo(index, 0, false, false, 0, List.of(), false);
    }

    /** Empty, that is null, where the device has no such region: VGA's is refused as a whole. */
    private ByteBuffer regionInfo(int index, int bytes) throws VfioException {
        ByteBuffer info = Structures.sized(bytes).putInt(REGION_INFO_INDEX, index);
        int result = kernel.call(device, VFIO_DEVICE_GET_REGION_INFO, info);
        if (result == -HostKernel.EINVAL) {
            return null;
        }
        check(result, "say what its region " + index + " is");
        return info;
    }

    /** Those inside of the region, in rising order. */
    private static List<Area> sparse(InfoCapability capability, long size) {
        List<Area> areas = new ArrayList<>();
        int count = capability.u32(SPARSE_COUNT);
        for (int i = 0; i < count; i++) {
            int at = SPARSE_AREAS + i * SPARSE_AREA_BYTES;
            long offset = capability.u64(at + SPARSE_AREA_OFFSET);
            long length = capability.u64(at + SPARSE_AREA_SIZE);
            if (length > 0 && offset >= 0 && length <= size - offset) {
                areas.add(new Area(offset, length));
            }
        }
        areas.sort(Comparator.comparingLong(Area::offset));
        return areas;
    }

    IrqInfo irq(int index) throws VfioException {
        ByteBuffer info = Structures.sized(IRQ_INFO_BYTES).putInt(IRQ_INFO_INDEX, index);
        int result = kernel.call(device, VFIO_DEVICE_GET_IRQ_INFO, info);
        if (result == -HostKernel.EINVAL) {
            return absentIrq(index);
        }
        check(result, "say what its interrupts of kind " + index + " are");
        int flags = info.getInt(IRQ_INFO_FLAGS);
        return new IrqInfo(
                index,
                info.getInt(IRQ_INFO_COUNT),
                (flags & VFIO_IRQ_INFO_EVENTFD) != 0,
                (flags & VFIO_IRQ_INFO_MASKABLE) != 0,
                (flags & VFIO_IRQ_INFO_AUTOMASKED) != 0,
                (flags & VFIO_IRQ_INFO_NORESIZE) == 0);
    }

    static IrqInfo absentIrq(int index) {
        return new IrqInfo(index, 0, false, false, false, false);
    }

    private void check(int result, String what) throws VfioException {
        if (result < 0) {
            throw new VfioException(
                    "%s does not %s: %s; see 'dmesg', it may have gone from the host."
                            .formatted(device.name(), what, Ioctl.reason(-result)));
        }
    }
}
