package org.backplane.virtio;

/**
 * Numbers and offsets of the legacy interface over PCI (virtio 1.2, sections 2.7.2, 4.1.2.3 and
 * 4.1.4.10). The common registers are little-endian, the device's own configuration has the guest's
 * byte order, which is little-endian, too, on every processor that there is an engine for. All
 * sizes and offsets are in bytes.
 */
final class LegacyLayout {
    /** Section 4.1.2.3: a transitional device has the revision 0. */
    static final int REVISION = 0;

    /** Section 4.1.4.10: the first I/O region. */
    static final int BAR = 0;

    // Section 4.1.4.10: the common registers.
    static final int DEVICE_FEATURES = 0;
    static final int DRIVER_FEATURES = 4;
    static final int QUEUE_ADDRESS = 8;
    static final int QUEUE_SIZE = 12;
    static final int QUEUE_SELECT = 14;
    static final int QUEUE_NOTIFY = 16;
    static final int DEVICE_STATUS = 18;
    static final int ISR_STATUS = 19;
    static final int COMMON_BYTES = 20;

    // The same section: only while MSI-X is enabled; otherwise the device's configuration is here.
    static final int CONFIG_MSIX_VECTOR = 20;
    static final int QUEUE_MSIX_VECTOR = 22;
    static final int COMMON_BYTES_MSIX = 24;

    /** PCI 3.0, section 6.2.5.1: an I/O BAR has 256 bytes at most. */
    static final int MAX_CONFIG_BYTES = 256 - COMMON_BYTES_MSIX;

    /** Section 4.1.5.1.3.1: a queue's address is given in pages of that size. */
    static final int ADDRESS_SHIFT = 12;

    /** The same section: the used ring begins at a multiple of that. */
    private static final long USED_ALIGNMENT = 4096;

    /** Section 6.3: only the legacy interface has that bit. */
    static final long ANY_LAYOUT = 1L << 27;

    /** Section 4.1.4.10: bits 0 to 31 are all that the interface has. */
    static final long FEATURES = 0xffff_ffffL;

    private LegacyLayout() {}

    /** Section 4.1.2: the PCI device ID of a transitional device; 0 where the type has none. */
    static int pciDevice(int type) {
        return switch (type) {
            case 1 -> 0x1000; // network card
            case 2 -> 0x1001; // block device
            case 5 -> 0x1002; // memory balloon, the traditional one
            case 3 -> 0x1003; // console
            case 8 -> 0x1004; // SCSI host
            case 4 -> 0x1005; // entropy source
            case 9 -> 0x1009; // 9P transport
            default -> 0;
        };
    }

    /** Room that registers and configuration take together. */
    static int bytes(VirtioShape shape) {
        return COMMON_BYTES_MSIX + shape.configLength();
    }

    /** How wide a register is: 1, 2 or 4; 0 if none begins there. */
    static int width(int offset) {
        return switch (offset) {
            case DEVICE_FEATURES, DRIVER_FEATURES, QUEUE_ADDRESS -> 4;
            case QUEUE_SIZE, QUEUE_SELECT, QUEUE_NOTIFY, CONFIG_MSIX_VECTOR, QUEUE_MSIX_VECTOR -> 2;
            case DEVICE_STATUS, ISR_STATUS -> 1;
            default -> 0;
        };
    }

    /** Section 2.7.2: the available ring follows the descriptor table. */
    static long available(long descriptors, int size) {
        return descriptors + RingLayout.descriptorTableBytes(size);
    }

    /** Section 2.7.2: the used ring begins on the next page behind the available ring. */
    static long used(long descriptors, int size) {
        long end = available(descriptors, size) + RingLayout.availBytes(size);
        return (end + USED_ALIGNMENT - 1) & -USED_ALIGNMENT;
    }
}
