package org.backplane.machine.slot;

import java.util.HashMap;
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

    /** The settings that are the device's: without those of the slot itself. */
    Map<String, String> deviceSettings() {
        Map<String, String> others = new HashMap<>(settings);
        others.remove(Pin.SETTING);
        others.remove(PciPlace.SETTING);
        return Map.copyOf(others);
    }
}
