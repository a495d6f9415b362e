package org.backplane.memory;

import org.backplane.linux.Fd;

/**
 * A run of guest-physical addresses backed by host memory.
 *
 * @param guestAddress first guest-physical address, page-aligned
 * @param length in bytes, a multiple of the page
 * @param hostAddress where it is mapped in this process
 * @param descriptor what it is mapped from
 * @param offset in bytes into the descriptor
 * @param kind what it is
 * @param writable whether the guest and devices may store
 */
public record MemoryRange(
        long guestAddress,
        long length,
        long hostAddress,
        Fd descriptor,
        long offset,
        Kind kind,
        boolean writable) {
    public enum Kind {
        RAM,
        ROM,
        /** Host memory behind a BAR. */
        DEVICE
    }

    public long end() {
        return guestAddress + length;
    }
}
