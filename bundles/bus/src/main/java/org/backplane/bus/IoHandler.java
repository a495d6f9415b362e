package org.backplane.bus;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Answers the accesses to one region. Called on the processor's thread that made the access, by
 * several at once; must not block and must not allocate on its usual path.
 */
@ConsumerType
public interface IoHandler {
    /**
     * @param offset in bytes from the start of the region; the whole access lies inside it
     * @param width in bytes: 1, 2, 4 or 8
     * @return the value in the low bits; bits above the width are ignored
     */
    long read(long offset, int width);

    /**
     * @param offset in bytes from the start of the region; the whole access lies inside it
     * @param width in bytes: 1, 2, 4 or 8
     * @param value in the low bits; bits above the width are zero
     */
    void write(long offset, int width, long value);
}
