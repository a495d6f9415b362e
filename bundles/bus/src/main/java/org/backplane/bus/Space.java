package org.backplane.bus;

/** An address space that a processor can reach by its own kind of instruction. */
public enum Space {
    /** Port I/O: 64 KiB, accesses of 1, 2 or 4 bytes. */
    IO,
    /** Memory-mapped I/O: accesses of 1, 2, 4 or 8 bytes. */
    MMIO
}
