package org.backplane.virtio;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.backplane.pci.PciShape;
import org.backplane.pci.PciShape.Bar;
import org.backplane.pci.PciShape.BarKind;
import org.backplane.pci.PciShape.Capability;
import org.backplane.pci.PciShape.Msix;

/**
 * Numbers and offsets of virtio over PCI (virtio 1.2, section 4.1), and where this implementation
 * puts its structures. All fields are little-endian; all sizes and offsets are in bytes.
 */
final class VirtioPciLayout {
    // Section 4.1.2: identification.
    static final int VENDOR = 0x1af4;
    static final int FIRST_DEVICE = 0x1040;
    static final int REVISION = 1;
    static final int FIRST_SUBSYSTEM = 0x40;
    static final int PIN_INTA = 1;

    // Section 2.1: device status.
    static final int ACKNOWLEDGE = 1;
    static final int DRIVER = 2;
    static final int DRIVER_OK = 4;
    static final int FEATURES_OK = 8;
    static final int NEEDS_RESET = 64;
    static final int FAILED = 128;

    /** What a driver may set. */
    static final int DRIVER_STATUS = ACKNOWLEDGE | DRIVER | DRIVER_OK | FEATURES_OK | FAILED;

    // Section 6: features that belong to the queues and the transport.
    static final long INDIRECT_DESC = 1L << 28;
    static final long EVENT_IDX = 1L << 29;
    static final long VERSION_1 = 1L << 32;
    static final long TRANSPORT_FEATURES = INDIRECT_DESC | EVENT_IDX | VERSION_1;

    /** Section 2.2: bits 24 to 49 are not a device type's to define. */
    static final long NOT_DEVICE_FEATURES = ((1L << 50) - 1) & -(1L << 24);

    // Section 4.1.4.3: struct virtio_pci_common_cfg. Notification data and queue reset, which
    // follow, belong to features that are not offered.
    static final int DEVICE_FEATURE_SELECT = 0x00;
    static final int DEVICE_FEATURE = 0x04;
    static final int DRIVER_FEATURE_SELECT = 0x08;
    static final int DRIVER_FEATURE = 0x0c;
    static final int CONFIG_MSIX_VECTOR = 0x10;
    static final int NUM_QUEUES = 0x12;
    static final int DEVICE_STATUS = 0x14;
    static final int CONFIG_GENERATION = 0x15;
    static final int QUEUE_SELECT = 0x16;
    static final int QUEUE_SIZE = 0x18;
    static final int QUEUE_MSIX_VECTOR = 0x1a;
    static final int QUEUE_ENABLE = 0x1c;
    static final int QUEUE_NOTIFY_OFF = 0x1e;
    static final int QUEUE_DESC = 0x20;
    static final int QUEUE_DRIVER = 0x28;
    static final int QUEUE_DEVICE = 0x30;
    static final int COMMON_BYTES = 0x38;

    /** Section 4.1.4.3: "no vector". */
    static final int NO_VECTOR = 0xffff;

    // Section 4.1.4.5: ISR status.
    static final int ISR_QUEUE = 1;
    static final int ISR_CONFIG = 2;
    static final int ISR_BYTES = 1;

    // Section 4.1.4: struct virtio_pci_cap, and what two of its kinds append.
    static final int CAPABILITY_ID = 0x09;
    static final int CAP_LENGTH = 2;
    static final int CAP_TYPE = 3;
    static final int CAP_BAR = 4;
    static final int CAP_OFFSET = 8;
    static final int CAP_STRUCTURE_LENGTH = 12;
    static final int CAP_BYTES = 16;
    static final int CAP_NOTIFY_MULTIPLIER = 16;
    static final int CAP_NOTIFY_BYTES = 20;
    static final int CAP_PCI_CFG_DATA = 16;
    static final int CAP_PCI_CFG_BYTES = 20;
    static final int TYPE_COMMON = 1;
    static final int TYPE_NOTIFY = 2;
    static final int TYPE_ISR = 3;
    static final int TYPE_DEVICE = 4;
    static final int TYPE_PCI_CFG = 5;

    // Ours: a page each, so that a hypervisor can treat each on its own.
    private static final int STRUCTURES_BAR = 0;

    /** Of a transitional device, where BAR 0 is the legacy interface's. */
    private static final int STRUCTURES_BAR_TRANSITIONAL = 4;

    static final int PAGE = 0x1000;
    static final int COMMON_PAGE = 0x0000;
    static final int ISR_PAGE = 0x1000;
    static final int DEVICE_PAGE = 0x2000;
    static final int NOTIFY_PAGE = 0x3000;
    static final int STRUCTURES_BYTES = 0x4000;

    /** A doorbell address a queue (section 4.1.4.4). */
    static final int NOTIFY_MULTIPLIER = 4;

    static final int MAX_QUEUES = PAGE / NOTIFY_MULTIPLIER;

    /** The MSI-X table and the pending bits have a BAR of their own, a part each. */
    static final int MSIX_BAR = 2;

    private static final int MSIX_ENTRY_BYTES = 16;
    private static final int VECTORS_A_PENDING_WORD = 64;
    private static final int PENDING_WORD_BYTES = 8;

    private VirtioPciLayout() {}

    /** One vector a queue and one for configuration changes. */
    static int vectors(VirtioShape shape) {
        return shape.queueSizes().size() + 1;
    }

    /**
     * How wide a common field at an offset is: 1, 2 or 4, where a field of 64 bits counts as two
     * halves; 0 if no field begins there (section 4.1.3.1).
     */
    static int commonFieldWidth(int offset) {
        return switch (offset) {
            case DEVICE_STATUS, CONFIG_GENERATION -> 1;
            case CONFIG_MSIX_VECTOR,
                    NUM_QUEUES,
                    QUEUE_SELECT,
                    QUEUE_SIZE,
                    QUEUE_MSIX_VECTOR,
                    QUEUE_ENABLE,
                    QUEUE_NOTIFY_OFF ->
                    2;
            case DEVICE_FEATURE_SELECT,
                    DEVICE_FEATURE,
                    DRIVER_FEATURE_SELECT,
                    DRIVER_FEATURE,
                    QUEUE_DESC,
                    QUEUE_DESC + 4,
                    QUEUE_DRIVER,
                    QUEUE_DRIVER + 4,
                    QUEUE_DEVICE,
                    QUEUE_DEVICE + 4 ->
                    4;
            default -> 0;
        };
    }

    /** The BAR that holds the structures. */
    static int structuresBar(VirtioShape shape) {
        return shape.transitional() ? STRUCTURES_BAR_TRANSITIONAL : STRUCTURES_BAR;
    }

    /** The place of the configuration access window among the capabilities. */
    static int windowCapability(PciShape shape) {
        return shape.capabilities().size() - 1;
    }

    /** The function that a device's shape makes. */
    static PciShape pciShape(VirtioShape shape) {
        int bar = structuresBar(shape);
        List<Capability> capabilities = new ArrayList<>();
        capabilities.add(structure(TYPE_COMMON, bar, COMMON_PAGE, COMMON_BYTES, CAP_BYTES));
        capabilities.add(
                structure(
                        TYPE_NOTIFY,
                        bar,
                        NOTIFY_PAGE,
                        shape.queueSizes().size() * NOTIFY_MULTIPLIER,
                        CAP_NOTIFY_BYTES));
        capabilities.add(structure(TYPE_ISR, bar, ISR_PAGE, ISR_BYTES, CAP_BYTES));
        if (shape.configLength() > 0) {
            capabilities.add(
                    structure(TYPE_DEVICE, bar, DEVICE_PAGE, shape.configLength(), CAP_BYTES));
        }
        capabilities.add(structure(TYPE_PCI_CFG, 0, 0, 0, CAP_PCI_CFG_BYTES));

        int vectors = vectors(shape);
        int tableBytes = vectors * MSIX_ENTRY_BYTES;
        int pendingBytes =
                (vectors + VECTORS_A_PENDING_WORD - 1)
                        / VECTORS_A_PENDING_WORD
                        * PENDING_WORD_BYTES;
        int half = Math.max(PAGE, powerOfTwo(Math.max(tableBytes, pendingBytes)));
        boolean legacy = shape.transitional();
        List<Bar> bars = new ArrayList<>();
        if (legacy) {
            long bytes = powerOfTwo(LegacyLayout.bytes(shape));
            bars.add(new Bar(LegacyLayout.BAR, BarKind.IO, false, bytes));
        }
        bars.add(new Bar(bar, BarKind.MEMORY_64, false, STRUCTURES_BYTES));
        bars.add(new Bar(MSIX_BAR, BarKind.MEMORY_64, false, 2L * half));
        int type = shape.deviceId();
        return new PciShape(
                VENDOR,
                legacy ? LegacyLayout.pciDevice(type) : FIRST_DEVICE + type,
                legacy ? LegacyLayout.REVISION : REVISION,
                shape.classCode(),
                VENDOR,
                legacy ? type : FIRST_SUBSYSTEM + type,
                PIN_INTA,
                bars,
                capabilities,
                Optional.of(new Msix(vectors, MSIX_BAR, 0, MSIX_BAR, half)));
    }

    /** A vendor capability that says where a structure lies; the guest cannot write into it. */
    private static Capability structure(
            int type, int bar, int offset, int length, int capabilityBytes) {
        byte[] whole = new byte[capabilityBytes];
        whole[CAP_LENGTH] = (byte) capabilityBytes;
        whole[CAP_TYPE] = (byte) type;
        whole[CAP_BAR] = (byte) bar;
        putInt(whole, CAP_OFFSET, offset);
        putInt(whole, CAP_STRUCTURE_LENGTH, length);
        if (type == TYPE_NOTIFY) {
            putInt(whole, CAP_NOTIFY_MULTIPLIER, NOTIFY_MULTIPLIER);
        }
        byte[] body = Arrays.copyOfRange(whole, CAP_LENGTH, whole.length);
        return new Capability(CAPABILITY_ID, body, new byte[body.length]);
    }

    private static void putInt(byte[] bytes, int offset, int value) {
        for (int i = 0; i < 4; i++) {
            bytes[offset + i] = (byte) (value >>> 8 * i);
        }
    }

    private static int powerOfTwo(int atLeast) {
        int power = Integer.highestOneBit(atLeast);
        return power == atLeast ? power : power << 1;
    }
}
