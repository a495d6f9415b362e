package org.backplane.vfio.kernel;

/**
 * Addresses that a device may use for DMA.
 *
 * @param first an unsigned number
 * @param last belongs to it; an unsigned number
 */
record IovaRange(long first, long last) {
    boolean contains(long address, long length) {
        return Long.compareUnsigned(first, address) <= 0
                && Long.compareUnsigned(address + length - 1, last) <= 0;
    }
}
