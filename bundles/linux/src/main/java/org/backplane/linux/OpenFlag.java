package org.backplane.linux;

import org.backplane.linux.libc.Abi;

/** How a file is opened, open(2). Close-on-exec is always set. */
public enum OpenFlag {
    READ(0),
    WRITE(0),
    /** Makes the file, mode 0600 less the umask, where there is none. */
    CREATE(Abi.O_CREAT),
    /** With CREATE: fails where there is one. */
    EXCLUSIVE(Abi.O_EXCL),
    /** Cuts the file to no bytes. */
    TRUNCATE(Abi.O_TRUNC),
    /**
     * Past the page cache; addresses, lengths and offsets must be aligned to the device's block.
     */
    DIRECT(Abi.O_DIRECT),
    /** Every write returns once its data is on the device. */
    DATA_SYNC(Abi.O_DSYNC),
    NON_BLOCKING(Abi.O_NONBLOCK);

    private final int bits;

    OpenFlag(int bits) {
        this.bits = bits;
    }

    static int bits(Iterable<OpenFlag> flags) {
        boolean read = false;
        boolean write = false;
        int bits = Abi.O_CLOEXEC;
        for (OpenFlag flag : flags) {
            read |= flag == READ;
            write |= flag == WRITE;
            bits |= flag.bits;
        }
        return bits | (write ? (read ? Abi.O_RDWR : Abi.O_WRONLY) : Abi.O_RDONLY);
    }
}
