package org.backplane.device.vfio;

import static org.backplane.device.vfio.CapabilityRule.Treatment.EMULATED;
import static org.backplane.device.vfio.CapabilityRule.Treatment.HIDDEN;
import static org.backplane.device.vfio.CapabilityRule.Treatment.PASSED;

import java.util.List;

/** The one table of what the guest sees of a device's capabilities; docs/vfio.md shows it. */
final class CapabilityTable {
    static final int POWER_MANAGEMENT = 0x01;
    static final int VITAL_PRODUCT_DATA = 0x03;
    static final int MSI = 0x05;
    static final int VENDOR_SPECIFIC = 0x09;
    static final int PCI_EXPRESS = 0x10;
    static final int MSIX = 0x11;

    static final int EXTENDED_VENDOR_SPECIFIC = 0x000b;
    static final int DESIGNATED_VENDOR_SPECIFIC = 0x0023;

    static final List<CapabilityRule> STANDARD =
            List.of(
                    rule(
                            POWER_MANAGEMENT,
                            "Power management",
                            EMULATED,
                            8,
                            "D3hot would put the registers out of reach and may reset the device; the guest's power state is a number"),
                    rule(0x02, "AGP", HIDDEN, 0, "the guest has no AGP bus"),
                    rule(VITAL_PRODUCT_DATA, "Vital product data", PASSED, 8, "the device's own"),
                    rule(0x04, "Slot identification", HIDDEN, 4, "of a bridge"),
                    rule(
                            MSI,
                            "MSI",
                            EMULATED,
                            0,
                            "messages go to the guest's interrupt controller, by eventfds"),
                    rule(0x06, "CompactPCI hot swap", HIDDEN, 4, "the host's slot"),
                    rule(0x07, "PCI-X", HIDDEN, 0, "the guest's bus is none"),
                    rule(0x08, "HyperTransport", HIDDEN, 0, "the guest's bus is none"),
                    rule(VENDOR_SPECIFIC, "Vendor specific", PASSED, 0, "the device's own"),
                    rule(0x0a, "Debug port", HIDDEN, 4, "the host's kernel may be using it"),
                    rule(0x0b, "CompactPCI resource control", HIDDEN, 0, "the host's slot"),
                    rule(0x0c, "Hot-plug", HIDDEN, 0, "the host's slot"),
                    rule(0x0d, "Bridge subsystem", HIDDEN, 8, "of a bridge"),
                    rule(0x0e, "AGP 8x", HIDDEN, 0, "the guest has no AGP bus"),
                    rule(0x0f, "Secure device", HIDDEN, 0, "it would move accesses past the host"),
                    rule(
                            PCI_EXPRESS,
                            "PCI Express",
                            EMULATED,
                            0,
                            "drivers want it; an endpoint whose payload sizes, link and resets are the host's to set"),
                    rule(
                            MSIX,
                            "MSI-X",
                            EMULATED,
                            12,
                            "as MSI; table and pending bits keep their places in the BARs"),
                    rule(0x12, "SATA index and data", PASSED, 8, "the device's own"),
                    rule(
                            0x13,
                            "Advanced features",
                            HIDDEN,
                            6,
                            "its reset is the host's to make; a reset of the machine makes it"),
                    rule(0x14, "Enhanced allocation", HIDDEN, 0, "the guest places the BARs"),
                    rule(0x15, "Flattening portal bridge", HIDDEN, 0, "of a bridge"));

    static final List<CapabilityRule> EXTENDED =
            List.of(
                    rule(0x0001, "Advanced error reporting", HIDDEN, 0x48, "errors go to the host"),
                    rule(0x0002, "Virtual channel", HIDDEN, 0, "the host's link"),
                    rule(0x0003, "Device serial number", PASSED, 12, "the device's own"),
                    rule(0x0004, "Power budgeting", HIDDEN, 16, "the host's power supply"),
                    rule(0x0005, "Root complex link declaration", HIDDEN, 0, "of a root complex"),
                    rule(0x0006, "Root complex link control", HIDDEN, 12, "of a root complex"),
                    rule(0x0007, "Event collector", HIDDEN, 0, "of a root complex"),
                    rule(0x0008, "Multi-function channel", HIDDEN, 0, "the host's link"),
                    rule(0x0009, "Virtual channel (9)", HIDDEN, 0, "the host's link"),
                    rule(0x000a, "Root complex header", HIDDEN, 0, "of a root complex"),
                    rule(
                            EXTENDED_VENDOR_SPECIFIC,
                            "Vendor specific",
                            PASSED,
                            0,
                            "the device's own"),
                    rule(0x000d, "Access control", HIDDEN, 0, "isolation is the host's"),
                    rule(
                            0x000e,
                            "Alternative routing id",
                            HIDDEN,
                            8,
                            "the guest sees one function of the device"),
                    rule(0x000f, "Address translation", HIDDEN, 8, "the guest has no IOMMU"),
                    rule(
                            0x0010,
                            "Single root I/O virtualization",
                            HIDDEN,
                            0x40,
                            "virtual functions are the host's to make"),
                    rule(0x0011, "Multi-root I/O virtualization", HIDDEN, 0, "the host's"),
                    rule(0x0012, "Multicast", HIDDEN, 0x30, "the host's switches"),
                    rule(0x0013, "Page request", HIDDEN, 16, "the guest has no IOMMU"),
                    rule(
                            0x0015,
                            "Resizable BAR",
                            HIDDEN,
                            0,
                            "a region has the size that it had when the host opened it"),
                    rule(0x0016, "Dynamic power", HIDDEN, 0, "the host's power supply"),
                    rule(0x0017, "Processing hints", HIDDEN, 0, "they name the host's processors"),
                    rule(0x0018, "Latency tolerance", HIDDEN, 8, "the host's link"),
                    rule(0x0019, "Secondary PCI Express", HIDDEN, 0, "the host's link"),
                    rule(0x001b, "Process address space id", HIDDEN, 8, "the guest has no IOMMU"),
                    rule(0x001d, "Downstream port containment", HIDDEN, 0, "of a port"),
                    rule(0x001e, "L1 substates", HIDDEN, 16, "the host's link"),
                    rule(0x001f, "Precision time", HIDDEN, 12, "the host's clock and link"),
                    rule(
                            DESIGNATED_VENDOR_SPECIFIC,
                            "Designated vendor specific",
                            PASSED,
                            0,
                            "the device's own"),
                    rule(
                            0x0024,
                            "Resizable BAR of virtual functions",
                            HIDDEN,
                            0,
                            "virtual functions are the host's to make"),
                    rule(0x0025, "Data link feature", HIDDEN, 12, "the host's link"),
                    rule(0x0026, "Physical layer 16 GT/s", HIDDEN, 0, "the host's link"),
                    rule(0x0027, "Lane margining", HIDDEN, 0, "the host's link"),
                    rule(0x002a, "Physical layer 32 GT/s", HIDDEN, 0, "the host's link"),
                    rule(
                            0x002e,
                            "Data object exchange",
                            HIDDEN,
                            24,
                            "its interrupts are not carried"));

    /** For those that are in no list. */
    private static final String UNKNOWN = "not known to be harmless";

    private CapabilityTable() {}

    private static CapabilityRule rule(
            int id, String name, CapabilityRule.Treatment treatment, int length, String reason) {
        return new CapabilityRule(id, name, treatment, length, reason);
    }

    static CapabilityRule standard(int id) {
        return of(STANDARD, id);
    }

    static CapabilityRule extended(int id) {
        return of(EXTENDED, id);
    }

    private static CapabilityRule of(List<CapabilityRule> rules, int id) {
        return rules.stream()
                .filter(rule -> rule.id() == id)
                .findFirst()
                .orElseGet(() -> rule(id, "Any other", HIDDEN, 0, UNKNOWN));
    }
}
