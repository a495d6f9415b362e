package org.backplane.launcher.option;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * A slot that was asked for on the command line.
 *
 * @param settings of the kind, in the order written
 * @param source what the user wrote, for messages
 */
public record SlotPlan(String name, String kind, Map<String, String> settings, String source) {
    /** The keys of the plan that are no settings of a kind. */
    public static final Set<String> RESERVED = Set.of("name", "kind", "source");

    Map<String, String> toMap() {
        Map<String, String> map = new LinkedHashMap<>(settings);
        map.put("name", name);
        map.put("kind", kind);
        map.put("source", source);
        return Map.copyOf(map);
    }
}
