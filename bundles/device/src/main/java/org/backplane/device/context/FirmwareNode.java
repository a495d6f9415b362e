package org.backplane.device.context;

import java.util.List;
import java.util.Map;

/**
 * A device as the firmware's tables describe it (Devicetree Specification 0.4, chapter 2). The
 * board writes {@code reg} from the slot's regions and {@code interrupts} from its lines.
 *
 * @param name generic node name, without the unit address: {@code serial}
 * @param compatible most specific first
 * @param properties values: String, Integer (one cell), Long (two cells), Boolean.TRUE (empty), or
 *     {@link #PARENT} for the phandle of the node that this one follows
 * @param followers nodes that refer to this one
 */
public record FirmwareNode(
        String name,
        List<String> compatible,
        Map<String, Object> properties,
        List<FirmwareNode> followers) {
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
    }
}
