package org.backplane.vfio.kernel;

/**
 * Numbers and layouts of {@code linux/iommufd.h}, and of {@code linux/vfio.h} since it knows of it
 * (Linux 6.6): offsets and sizes in bytes. The only place that holds them; a test compares every
 * one with what the host's C compiler says where the installed headers are so new.
 */
final class IommufdAbi {
    private IommufdAbi() {}

    // ioctl requests of a device's own file
    static final long VFIO_DEVICE_BIND_IOMMUFD = 0x3b76L;
    static final long VFIO_DEVICE_ATTACH_IOMMUFD_PT = 0x3b77L;
    static final long VFIO_DEVICE_DETACH_IOMMUFD_PT = 0x3b78L;

    // of /dev/iommu
    static final long IOMMU_DESTROY = 0x3b80L;
    static final long IOMMU_IOAS_ALLOC = 0x3b81L;
    static final long IOMMU_IOAS_IOVA_RANGES = 0x3b84L;
    static final long IOMMU_IOAS_MAP = 0x3b85L;
    static final long IOMMU_IOAS_UNMAP = 0x3b86L;

    // struct vfio_device_bind_iommufd, as far as it is of old: the header of today is longer
    static final int BIND_BYTES = 16;
    static final int BIND_ARGSZ = 0;
    static final int BIND_FLAGS = 4;
    static final int BIND_IOMMUFD = 8;
    static final int BIND_DEVICE = 12;

    // struct vfio_device_attach_iommufd_pt, as far as it is of old
    static final int ATTACH_BYTES = 12;
    static final int ATTACH_ARGSZ = 0;
    static final int ATTACH_FLAGS = 4;
    static final int ATTACH_SPACE = 8;

    // struct vfio_device_detach_iommufd_pt, as far as it is of old
    static final int DETACH_BYTES = 8;
    static final int DETACH_ARGSZ = 0;
    static final int DETACH_FLAGS = 4;

    // struct iommu_destroy
    static final int DESTROY_BYTES = 8;
    static final int DESTROY_SIZE = 0;
    static final int DESTROY_ID = 4;

    // struct iommu_ioas_alloc
    static final int IOAS_ALLOC_BYTES = 12;
    static final int IOAS_ALLOC_SIZE = 0;
    static final int IOAS_ALLOC_FLAGS = 4;
    static final int IOAS_ALLOC_ID = 8;

    // struct iommu_ioas_iova_ranges
    static final int IOVA_RANGES_BYTES = 32;
    static final int IOVA_RANGES_SIZE = 0;
    static final int IOVA_RANGES_ID = 4;
    static final int IOVA_RANGES_COUNT = 8;
    static final int IOVA_RANGES_ALLOWED = 16;
    static final int IOVA_RANGES_ALIGNMENT = 24;

    // struct iommu_iova_range
    static final int IOVA_RANGE_BYTES = 16;
    static final int IOVA_RANGE_START = 0;
    static final int IOVA_RANGE_LAST = 8;

    // struct iommu_ioas_map
    static final int IOAS_MAP_BYTES = 40;
    static final int IOAS_MAP_SIZE = 0;
    static final int IOAS_MAP_FLAGS = 4;
    static final int IOAS_MAP_ID = 8;
    static final int IOAS_MAP_ADDRESS = 16;
    static final int IOAS_MAP_LENGTH = 24;
    static final int IOAS_MAP_IOVA = 32;
    static final int IOMMU_IOAS_MAP_FIXED_IOVA = 1;
    static final int IOMMU_IOAS_MAP_WRITEABLE = 2;
    static final int IOMMU_IOAS_MAP_READABLE = 4;

    // struct iommu_ioas_unmap
    static final int IOAS_UNMAP_BYTES = 24;
    static final int IOAS_UNMAP_SIZE = 0;
    static final int IOAS_UNMAP_ID = 4;
    static final int IOAS_UNMAP_IOVA = 8;
    static final int IOAS_UNMAP_LENGTH = 16;
}
