package org.backplane.machine.console;

import java.io.IOException;
import java.io.OutputStream;

/** The latest bytes of an output that nobody sees for a while. Used under its owner's lock. */
final class KeptOutput {
    private final byte[] ring;
    private int start;
    private int count;
    private long lost;

    /**
     * @param room bytes
     */
    KeptOutput(int room) {
        ring = new byte[room];
    }

    void add(byte[] bytes, int length) {
        for (int i = 0; i < length; i++) {
            ring[(start + count) % ring.length] = bytes[i];
            if (count == ring.length) {
                start = (start + 1) % ring.length;
                lost++;
            } else {
                count++;
            }
        }
    }

    /** How many bytes before the kept ones are gone. */
    long lost() {
        return lost;
    }

    /** Writes what is kept, oldest first, and keeps nothing of it. */
    void moveTo(OutputStream to) throws IOException {
        int first = Math.min(count, ring.length - start);
        to.write(ring, start, first);
        to.write(ring, 0, count - first);
        start = 0;
        count = 0;
        lost = 0;
    }
}
