package org.backplane.machine;

import java.util.List;

/** A PCI function as lspci would show it. */
public record FunctionReport(
        String address,
        String slot,
        int vendorId,
        int deviceId,
        int classCode,
        int revision,
        int command,
        int status,
        int msixVectors,
        boolean msixEnabled,
        List<Bar> bars) {
    /**
     * @param base -1 while unplaced
     * @param kind {@code io}, {@code mem32}, {@code mem64}, with {@code ,pref}
     */
    public record Bar(int index, String kind, long base, long size, boolean decoding) {}
}
