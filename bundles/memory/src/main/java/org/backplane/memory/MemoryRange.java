package org.backplane.memory;

import org.backplane.linux.Fd;

/**
 * A run of guest-physical addresses backed by host memory.
 *
 * @param guestAddress first guest-physical address, page-aligned, not negative
 * @param length in bytes, a positive multiple of the page; the end stays below 2^63
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
    public MemoryRange {
        if (guestAddress < 0 || length <= 0 || length > Long.MAX_VALUE - guestAddress) {
            throw new IllegalArgumentException(
                    "0x%x bytes at 0x%x are no range".formatted(length, guestAddress));
        }
    }

    /** What a range is. */
    public enum Kind {
        RAM,
        ROM,
        /** Host memory behind a BAR. */
        DEVICE
    }

    /** First guest-physical address after it. */
    public long end() {
        return guestAddress + length;
    }

    @Override
    public String toString() {
        return "%s 0x%x-0x%x%s"
                .formatted(kind, guestAddress, end() - 1, writable ? "" : " read-only");
    }
}
