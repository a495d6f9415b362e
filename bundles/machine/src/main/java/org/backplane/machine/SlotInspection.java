package org.backplane.machine;

import java.util.List;
import java.util.Map;

/**
 * Everything there is to say about a slot.
 *
 * @param facts named values, in the order to show them: features, queues, vectors, counters
 * @param regions what it claimed
 * @param leases what its device holds, the latest last
 */
public record SlotInspection(
        SlotReport slot,
        Map<String, String> facts,
        List<AddressMap.Region> regions,
        List<String> leases) {}
