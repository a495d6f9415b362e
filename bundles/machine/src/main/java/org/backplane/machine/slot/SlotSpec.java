package org.backplane.machine.slot;

import java.util.Map;

/**
 * The wanted state of a slot.
 *
 * @param source where it was asked for, for messages
 */
public record SlotSpec(String name, String kind, Map<String, String> settings, String source) {
    public SlotSpec {
        settings = Map.copyOf(settings);
    }
}
