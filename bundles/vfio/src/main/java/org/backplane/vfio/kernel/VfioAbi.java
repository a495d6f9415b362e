package org.backplane.vfio.kernel;

/**
 * Numbers and layouts of {@code linux/vfio.h}: offsets and sizes in bytes. The only place that
 * holds them; a test compares every one with what the host's C compiler says of the installed
 * headers.
 */
final class VfioAbi {
    private VfioAbi() {}

    static final int VFIO_API_VERSION = 0;
    static final int VFIO_TYPE1v2_IOMMU = 3;

    // ioctl requests of the container
    static final long VFIO_GET_API_VERSION = 0x3b64L;
    static final long VFIO_CHECK_EXTENSION = 0x3b65L;
    static final long VFIO_SET_IOMMU = 0x3b66L;
    static final long VFIO_IOMMU_GET_INFO = 0x3b70L;
    static final long VFIO_IOMMU_MAP_DMA = 0x3b71L;
    static final long VFIO_IOMMU_UNMAP_DMA = 0x3b72L;

    // of a group
    static final long VFIO_GROUP_GET_STATUS = 0x3b67L;
    static final long VFIO_GROUP_SET_CONTAINER = 0x3b68L;
    static final long VFIO_GROUP_UNSET_CONTAINER = 0x3b69L;
    static final long VFIO_GROUP_GET_DEVICE_FD = 0x3b6aL;

    // of a device
    static final long VFIO_DEVICE_GET_INFO = 0x3b6bL;
    static final long VFIO_DEVICE_GET_REGION_INFO = 0x3b6cL;
    static final long VFIO_DEVICE_GET_IRQ_INFO = 0x3b6dL;
    static final long VFIO_DEVICE_SET_IRQS = 0x3b6eL;
    static final long VFIO_DEVICE_RESET = 0x3b6fL;

    // struct vfio_group_status
    static final int GROUP_STATUS_BYTES = 8;
    static final int GROUP_STATUS_ARGSZ = 0;
    static final int GROUP_STATUS_FLAGS = 4;
    static final int VFIO_GROUP_FLAGS_VIABLE = 1;
    static final int VFIO_GROUP_FLAGS_CONTAINER_SET = 2;

    // struct vfio_device_info, as far as it is of old: the header of today is longer
    static final int DEVICE_INFO_BYTES = 16;
    static final int DEVICE_INFO_ARGSZ = 0;
    static final int DEVICE_INFO_FLAGS = 4;
    static final int DEVICE_INFO_REGIONS = 8;
    static final int DEVICE_INFO_IRQS = 12;
    static final int VFIO_DEVICE_FLAGS_RESET = 1;
    static final int VFIO_DEVICE_FLAGS_PCI = 2;

    // struct vfio_region_info
    static final int REGION_INFO_BYTES = 32;
    static final int REGION_INFO_ARGSZ = 0;
    static final int REGION_INFO_FLAGS = 4;
    static final int REGION_INFO_INDEX = 8;
    static final int REGION_INFO_CAP_OFFSET = 12;
    static final int REGION_INFO_SIZE = 16;
    static final int REGION_INFO_OFFSET = 24;
    static final int VFIO_REGION_INFO_FLAG_READ = 1;
    static final int VFIO_REGION_INFO_FLAG_WRITE = 2;
    static final int VFIO_REGION_INFO_FLAG_MMAP = 4;
    static final int VFIO_REGION_INFO_FLAG_CAPS = 8;

    // struct vfio_info_cap_header
    static final int CAP_HEADER_BYTES = 8;
    static final int CAP_HEADER_ID = 0;
    static final int CAP_HEADER_NEXT = 4;
    static final int VFIO_REGION_INFO_CAP_SPARSE_MMAP = 1;
    static final int VFIO_REGION_INFO_CAP_MSIX_MAPPABLE = 3;
    static final int VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE = 1;

    // struct vfio_region_info_cap_sparse_mmap
    static final int SPARSE_COUNT = 8;
    static final int SPARSE_AREAS = 16;
    static final int SPARSE_AREA_BYTES = 16;
    static final int SPARSE_AREA_OFFSET = 0;
    static final int SPARSE_AREA_SIZE = 8;

    // struct vfio_irq_info
    static final int IRQ_INFO_BYTES = 16;
    static final int IRQ_INFO_ARGSZ = 0;
    static final int IRQ_INFO_FLAGS = 4;
    static final int IRQ_INFO_INDEX = 8;
    static final int IRQ_INFO_COUNT = 12;
    static final int VFIO_IRQ_INFO_EVENTFD = 1;
    static final int VFIO_IRQ_INFO_MASKABLE = 2;
    static final int VFIO_IRQ_INFO_AUTOMASKED = 4;
    static final int VFIO_IRQ_INFO_NORESIZE = 8;

    // struct vfio_irq_set
    static final int IRQ_SET_ARGSZ = 0;
    static final int IRQ_SET_FLAGS = 4;
    static final int IRQ_SET_INDEX = 8;
    static final int IRQ_SET_START = 12;
    static final int IRQ_SET_COUNT = 16;
    static final int IRQ_SET_DATA = 20;
    static final int VFIO_IRQ_SET_DATA_NONE = 1;
    static final int VFIO_IRQ_SET_DATA_EVENTFD = 4;
    static final int VFIO_IRQ_SET_ACTION_MASK = 8;
    static final int VFIO_IRQ_SET_ACTION_UNMASK = 0x10;
    static final int VFIO_IRQ_SET_ACTION_TRIGGER = 0x20;

    // struct vfio_iommu_type1_info, as far as its capabilities
    static final int IOMMU_INFO_ARGSZ = 0;
    static final int IOMMU_INFO_FLAGS = 4;
    static final int IOMMU_INFO_CAP_OFFSET = 16;
    static final int IOMMU_INFO_BYTES = 24;
    static final int VFIO_IOMMU_INFO_CAPS = 2;

    // struct vfio_iommu_type1_info_cap_iova_range
    static final int IOVA_CAP_COUNT = 8;
    static final int IOVA_CAP_RANGES = 16;
    static final int IOVA_RANGE_BYTES = 16;
    static final int IOVA_RANGE_START = 0;
    static final int IOVA_RANGE_END = 8;

    // struct vfio_iommu_type1_dma_map
    static final int DMA_MAP_BYTES = 32;
    static final int DMA_MAP_ARGSZ = 0;
    static final int DMA_MAP_FLAGS = 4;
    static final int DMA_MAP_VADDR = 8;
    static final int DMA_MAP_IOVA = 16;
    static final int DMA_MAP_SIZE = 24;
    static final int VFIO_DMA_MAP_FLAG_READ = 1;
    static final int VFIO_DMA_MAP_FLAG_WRITE = 2;

    // struct vfio_iommu_type1_dma_unmap
    static final int DMA_UNMAP_BYTES = 24;
    static final int DMA_UNMAP_ARGSZ = 0;
    static final int DMA_UNMAP_FLAGS = 4;
    static final int DMA_UNMAP_IOVA = 8;
    static final int DMA_UNMAP_SIZE = 16;

    static final int VFIO_PCI_NUM_REGIONS = 9;
    static final int VFIO_PCI_NUM_IRQS = 5;
}
