package org.backplane.linux;

/**
 * What statx(2) says of a descriptor.
 *
 * @param kind what it is open on
 * @param size in bytes; of a block device its capacity, 0 for kinds without one
 * @param blockSize preferred size of input and output, in bytes
 */
public record FileStatus(Kind kind, long size, int blockSize) {
    /** Kinds of file, as far as anyone here asks. */
    public enum Kind {
        REGULAR,
        BLOCK_DEVICE,
        OTHER
    }
}
