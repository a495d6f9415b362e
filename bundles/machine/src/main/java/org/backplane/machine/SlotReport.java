package org.backplane.machine;

import java.util.Map;

/**
 * A slot at one moment.
 *
 * @param source where it was asked for: an option, a file, the shell
 * @param bundle symbolic name of the bundle whose device fills it, or empty
 * @param version of that bundle, or empty
 * @param bundleId of that bundle, or -1
 * @param address of its PCI function, {@code 00:01.0}, or empty
 * @param detail the reason of a failure, or what is awaited, or empty
 */
public record SlotReport(
        String name,
        String kind,
        SlotState state,
        String source,
        Map<String, String> settings,
        String bundle,
        String version,
        long bundleId,
        String address,
        String detail) {
    SlotReport withDetail(String told) {
        return new SlotReport(
                name, kind, state, source, settings, bundle, version, bundleId, address, told);
    }
}
