package org.backplane.launcher.kernel;

import java.io.IOException;

/** Where a machine for x86-64 has memory, as far as a kernel's addresses need it. */
final class X86Memory {
    /** From here to 4 GiB are devices; what does not fit below lies above. */
    private static final long LOW_END = 0xc000_0000L;

    private static final long HIGH = 1L << 32;

    private X86Memory() {}

    /**
     * How much memory it takes until there is some at all of these addresses, in bytes.
     *
     * @param address physical, at least 0
     * @param size in bytes; the sum of both has at most 63 bits
     * @throws IOException with a clause for the user if no size is enough
     */
    static long reaching(long address, long size) throws IOException {
        long end = address + size;
        if (size > 0 && address < HIGH && end > LOW_END) {
            throw new IOException(
                    "0x%x bytes of it would be loaded at 0x%x, and no size of memory has any from 0x%x to 0x%x; link it for other addresses, or give another"
                            .formatted(size, address, LOW_END, HIGH - 1));
        }
        return end > HIGH ? end - (HIGH - LOW_END) : end;
    }
}
