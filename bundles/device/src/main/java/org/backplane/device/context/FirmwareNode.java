package org.backplane.device.context;

import java.util.List;
import java.util.Map;

/**
 * A device as the firmware's tables describe it (Devicetree Specification 0.4, chapter 2; ACPI 6.5,
 * 6.1.5). The board writes {@code reg} or {@code _CRS} from the slot's regions and lines.
 *
 * @param name generic node name, without the unit address: {@code serial}
 * @param compatible most specific first
 * @param properties values: String, Integer (one cell), Long (two cells), Boolean.TRUE (empty), or
 *     {@link #PARENT} for the phandle of the node that this one follows
 * @param followers nodes that refer to this one
 * @param hardwareId {@code _HID} on a board with ACPI, such as {@code PNP0501}; empty if the device
 *     has no node of its own there
 */
public record FirmwareNode(
        String name,
        List<String> compatible,
        Map<String, Object> properties,
        List<FirmwareNode> followers,
        String hardwareId) {
    /** A property value: the phandle of the node followed. */
    public static final Object PARENT =
            new Object() {
                @Override
                public String toString() {
                    return "PARENT";
                }
            };

    public FirmwareNode {
        compatible = List.copyOf(compatible);
        properties = Map.copyOf(properties);
        followers = List.copyOf(followers);
        if (!hardwareId.isEmpty()
                && !hardwareId.matches("[A-Z]{3}[0-9A-F]{4}|[A-Z0-9]{4}[0-9A-F]{4}")) {
            throw new IllegalArgumentException(
                    "'%s' is no hardware identifier; give one such as PNP0501 or ACPI0007, or none"
                            .formatted(hardwareId));
        }
    }

    /** A node that only a device tree has. */
    public FirmwareNode(
            String name,
            List<String> compatible,
            Map<String, Object> properties,
            List<FirmwareNode> followers) {
        this(name, compatible, properties, followers, "");
    }
}
