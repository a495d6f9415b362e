package org.backplane.chipset;

/** The receiver's 16 bytes, of which one is used while the FIFOs are off. Not thread-safe. */
final class ReceiveFifo {
    static final int DEPTH = 16;

    /** By the two high bits of FCR, in bytes. */
    private static final int[] TRIGGERS = {1, 4, 8, 14};

    private final byte[] ring = new byte[DEPTH];
    private int head;
    private int count;
    private boolean enabled;
    private int level;

    boolean enabled() {
        return enabled;
    }

    /** The level's two bits as they stand in FCR, shifted down. */
    int level() {
        return level;
    }

    /** Turning the FIFOs on or off empties them. */
    void configure(boolean on, int triggerLevel) {
        if (on != enabled) {
            clear();
        }
        enabled = on;
        level = triggerLevel;
    }

    void clear() {
        head = 0;
        count = 0;
    }

    boolean isEmpty() {
        return count == 0;
    }

    boolean hasRoom() {
        return count < (enabled ? DEPTH : 1);
    }

    /** Whether as many bytes are there as make an interrupt by themselves. */
    boolean triggered() {
        return count >= (enabled ? TRIGGERS[level] : 1);
    }

    /**
     * Adds a byte. If there is no room it is lost: with the FIFOs on it never left the shift
     * register, with them off it replaces the one before (PC16550D, LSR bit 1).
     *
     * @return whether no byte was lost
     */
    boolean add(int octet) {
        if (hasRoom()) {
            ring[(head + count++) % DEPTH] = (byte) octet;
            return true;
        }
        if (!enabled) {
            ring[head] = (byte) octet;
        }
        return false;
    }

    /** The oldest byte, or zero if there is none. */
    int remove() {
        if (count == 0) {
            return 0;
        }
        int octet = ring[head] & 0xff;
        head = (head + 1) % DEPTH;
        count--;
        return octet;
    }

    /** A copy, the oldest first. */
    byte[] content() {
        byte[] content = new byte[count];
        for (int i = 0; i < count; i++) {
            content[i] = ring[(head + i) % DEPTH];
        }
        return content;
    }
}
