package org.backplane.machine;

import java.util.List;
import org.backplane.bus.AddressRange;

/**
 * A PCI function as lspci would show it.
 *
 * @param address bus, device and function, {@code 01:00.0}
 * @param slot empty for a function of the board itself
 * @param port null if the function is no root port
 */
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
        List<Bar> bars,
        Port port) {
    /** A function that is no root port. */
    public FunctionReport(
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
        this(
                address,
                slot,
                vendorId,
                deviceId,
                classCode,
                revision,
                command,
                status,
                msixVectors,
                msixEnabled,
                bars,
                null);
    }

    /**
     * What a root port is besides: a bridge and a slot for hot-plug.
     *
     * @param number of its slot, as in the setting {@code port}
     * @param secondary number of the bus behind it
     * @param subordinate last bus number behind it
     * @param io addresses that it forwards, or null for none
     * @param memory below 4 GiB, or null
     * @param prefetchable the only window that may be above 4 GiB, or null
     * @param occupant name of the slot that is in it, or empty
     * @param powered whether the guest has its power on
     * @param linkActive whether what is in it answers
     */
    public record Port(
            int number,
            int secondary,
            int subordinate,
            AddressRange io,
            AddressRange memory,
            AddressRange prefetchable,
            String occupant,
            boolean powered,
            boolean linkActive) {}

    /**
     * @param base -1 while unplaced
     * @param kind {@code io}, {@code mem32}, {@code mem64}, with {@code ,pref}
     */
    public record Bar(int index, String kind, long base, long size, boolean decoding) {}
}
