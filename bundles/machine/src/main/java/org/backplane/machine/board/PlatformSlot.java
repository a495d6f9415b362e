package org.backplane.machine.board;

import java.util.Map;

/** A device that every board of a kind has: the slot that it comes in. */
public record PlatformSlot(String name, String kind, Map<String, String> settings) {
    public PlatformSlot {
        settings = Map.copyOf(settings);
    }
}
