package org.backplane.vfio.user;

import java.util.Optional;
import org.backplane.linux.Fd;

/**
 * A run of a client's memory that a served device may reach ({@code VFIO_USER_DMA_MAP}).
 *
 * @param address of the client's bus, not negative
 * @param length in bytes, positive; the end stays below 2^63
 * @param descriptor what it can be mapped from, open until it is unmapped; empty: by messages only
 * @param offset of the run in the descriptor, in bytes
 * @param readable whether the device may read
 * @param writable whether the device may write
 * @param keepsSize whether the descriptor's memory cannot shrink. Where it can, an access to what
 *     the client cut off is an {@link InternalError} of the virtual machine, or EFAULT of a system
 *     call: the device's fault to bear, never the process's
 */
public record ServedMemory(
        long address,
        long length,
        Optional<Fd> descriptor,
        long offset,
        boolean readable,
        boolean writable,
        boolean keepsSize) {
    /** The first address behind it. */
    public long end() {
        return address + length;
    }

    @Override
    public String toString() {
        return "0x%x-0x%x%s%s"
                .formatted(
                        address,
                        end() - 1,
                        writable ? "" : " read-only",
                        descriptor.isPresent() ? "" : " by messages");
    }
}
