package org.backplane.vfio.user;

/**
 * Layouts and numbers of vfio-user's messages: offsets and sizes in bytes, payloads counted from
 * behind the header. All values are little-endian on the hosts supported ("Protocol
 * Specification").
 */
final class Wire {
    private Wire() {}

    static final int MAJOR = 0;
    static final int MINOR = 1;

    /** The header, "Header". */
    static final int HEADER_BYTES = 16;

    static final int ID = 0;
    static final int COMMAND = 2;
    static final int SIZE = 4;
    static final int FLAGS = 8;
    static final int ERRNO = 12;

    static final int TYPE_MASK = 0xf;
    static final int TYPE_COMMAND = 0;
    static final int TYPE_REPLY = 1;
    static final int NO_REPLY = 0x10;
    static final int ERROR = 0x20;

    /** Commands, "Commands". */
    static final int VERSION = 1;

    static final int DMA_MAP = 2;
    static final int DMA_UNMAP = 3;
    static final int DEVICE_GET_INFO = 4;
    static final int DEVICE_GET_REGION_INFO = 5;
    static final int DEVICE_GET_IRQ_INFO = 7;
    static final int DEVICE_SET_IRQS = 8;
    static final int REGION_READ = 9;
    static final int REGION_WRITE = 10;
    static final int DMA_READ = 11;
    static final int DMA_WRITE = 12;
    static final int DEVICE_RESET = 13;
    static final int REGION_WRITE_MULTI = 15;

    /** A command for a sentence: by its name in "Commands", with the number. */
    static String name(int command) {
        String name =
                switch (command) {
                    case VERSION -> "VFIO_USER_VERSION";
                    case DMA_MAP -> "VFIO_USER_DMA_MAP";
                    case DMA_UNMAP -> "VFIO_USER_DMA_UNMAP";
                    case DEVICE_GET_INFO -> "VFIO_USER_DEVICE_GET_INFO";
                    case DEVICE_GET_REGION_INFO -> "VFIO_USER_DEVICE_GET_REGION_INFO";
                    case DEVICE_GET_IRQ_INFO -> "VFIO_USER_DEVICE_GET_IRQ_INFO";
                    case DEVICE_SET_IRQS -> "VFIO_USER_DEVICE_SET_IRQS";
                    case REGION_READ -> "VFIO_USER_REGION_READ";
                    case REGION_WRITE -> "VFIO_USER_REGION_WRITE";
                    case DMA_READ -> "VFIO_USER_DMA_READ";
                    case DMA_WRITE -> "VFIO_USER_DMA_WRITE";
                    case DEVICE_RESET -> "VFIO_USER_DEVICE_RESET";
                    case REGION_WRITE_MULTI -> "VFIO_USER_REGION_WRITE_MULTI";
                    default -> "unknown";
                };
        return "%s (command %d)".formatted(name, command);
    }

    /** VFIO_USER_VERSION. */
    static final int VERSION_MAJOR = 0;

    static final int VERSION_MINOR = 2;
    static final int VERSION_DATA = 4;

    /** Most bytes of data in one message where nothing is negotiated, max_data_xfer_size. */
    static final int MOST_DATA = 1 << 20;

    /** The longest message there is, less its header: one with data behind 16 bytes. */
    static final int MOST_PAYLOAD = 16 + MOST_DATA;

    /** What every payload with such a field begins with. */
    static final int ARGSZ = 0;

    /** VFIO_USER_DMA_MAP. */
    static final int MAP_BYTES = 32;

    static final int MAP_FLAGS = 4;
    static final int MAP_OFFSET = 8;
    static final int MAP_ADDRESS = 16;
    static final int MAP_SIZE = 24;
    static final int MAP_READABLE = 1;
    static final int MAP_WRITABLE = 2;

    /** VFIO_USER_DMA_UNMAP. */
    static final int UNMAP_BYTES = 24;

    static final int UNMAP_FLAGS = 4;
    static final int UNMAP_ADDRESS = 8;
    static final int UNMAP_SIZE = 16;

    /** VFIO_DMA_UNMAP_FLAG_ALL of linux/vfio.h, which clients send although it is not specified. */
    static final int UNMAP_ALL = 2;

    /** VFIO_USER_DEVICE_GET_INFO. */
    static final int INFO_BYTES = 16;

    static final int INFO_FLAGS = 4;
    static final int INFO_REGIONS = 8;
    static final int INFO_IRQS = 12;
    static final int INFO_RESET = 1;
    static final int INFO_PCI = 2;

    /** VFIO_USER_DEVICE_GET_REGION_INFO. */
    static final int REGION_BYTES = 32;

    static final int REGION_FLAGS = 4;
    static final int REGION_INDEX = 8;
    static final int REGION_CAP_OFFSET = 12;
    static final int REGION_SIZE = 16;
    static final int REGION_OFFSET = 24;
    static final int REGION_READABLE = 1;
    static final int REGION_WRITABLE = 2;
    static final int REGION_MMAP = 4;
    static final int REGION_CAPS = 8;

    /** "VFIO cap header format", and the capabilities. */
    static final int CAP_BYTES = 8;

    static final int CAP_ID = 0;
    static final int CAP_VERSION = 2;
    static final int CAP_NEXT = 4;
    static final int CAP_SPARSE_MMAP = 1;
    static final int CAP_MSIX_MAPPABLE = 3;
    static final int SPARSE_COUNT = 8;
    static final int SPARSE_AREAS = 16;
    static final int AREA_BYTES = 16;
    static final int AREA_SIZE = 8;

    /** VFIO_USER_DEVICE_GET_IRQ_INFO. */
    static final int IRQ_BYTES = 16;

    static final int IRQ_FLAGS = 4;
    static final int IRQ_INDEX = 8;
    static final int IRQ_COUNT = 12;
    static final int IRQ_EVENTFD = 1;
    static final int IRQ_MASKABLE = 2;
    static final int IRQ_AUTOMASKED = 4;
    static final int IRQ_NORESIZE = 8;

    /** VFIO_USER_DEVICE_SET_IRQS. */
    static final int SET_BYTES = 20;

    static final int SET_FLAGS = 4;
    static final int SET_INDEX = 8;
    static final int SET_START = 12;
    static final int SET_COUNT = 16;
    static final int SET_DATA_NONE = 1;
    static final int SET_DATA_BOOL = 2;
    static final int SET_DATA_EVENTFD = 4;
    static final int SET_DATA_MASK = 7;
    static final int SET_MASK = 8;
    static final int SET_UNMASK = 0x10;
    static final int SET_TRIGGER = 0x20;
    static final int SET_ACTION_MASK = 0x38;

    /** VFIO_USER_REGION_READ and VFIO_USER_REGION_WRITE. */
    static final int ACCESS_BYTES = 16;

    static final int ACCESS_OFFSET = 0;
    static final int ACCESS_REGION = 8;
    static final int ACCESS_COUNT = 12;

    /** VFIO_USER_DMA_READ and VFIO_USER_DMA_WRITE. */
    static final int DMA_BYTES = 16;

    static final int DMA_ADDRESS = 0;
    static final int DMA_COUNT = 8;

    /** VFIO_USER_REGION_WRITE_MULTI. */
    static final int MULTI_WRITES = 8;

    static final int MULTI_WRITE_BYTES = 24;

    /** linux/vfio.h: what a PCI device has of each. */
    static final int REGIONS = 9;

    static final int IRQS = 5;

    /** errno(3), in error replies. */
    static final int ENOENT = 2;

    static final int EIO = 5;
    static final int EFAULT = 14;
    static final int EEXIST = 17;
    static final int EINVAL = 22;
    static final int ENOSPC = 28;
    static final int EOPNOTSUPP = 95;
}
