package org.backplane.virtio;

import org.backplane.bus.IoHandler;
import org.backplane.device.GuestErrors;

/**
 * The configuration access window: a capability through which a driver reaches the structures
 * before the BAR decodes (virtio 1.2, section 4.1.4.9). A firmware does; it writes BAR, offset and
 * length, and each access to the data register then is an access to that place.
 *
 * <p>Thread-safe; no lock is held over the access itself.
 */
final class ConfigWindow {
    private final IoHandler structures;
    private final int structuresBar;
    private final GuestErrors errors;
    private int bar;
    private int offset;
    private int length;
    private int data;

    /**
     * @param structures answers the BAR that holds the structures
     * @param structuresBar its index
     */
    ConfigWindow(IoHandler structures, int structuresBar, GuestErrors errors) {
        this.structures = structures;
        this.structuresBar = structuresBar;
        this.errors = errors;
    }

    /**
     * @param register in bytes from the capability's start, at least 4
     */
    long read(int register, int width) {
        int word = register & ~3;
        int value;
        if (word == VirtioPciLayout.CAP_PCI_CFG_DATA) {
            value = load();
        } else {
            value = register(word);
        }
        return (value >>> 8 * (register & 3)) & mask(width);
    }

    /**
     * @param register in bytes from the capability's start, at least 4
     */
    void write(int register, int width, long value) {
        int word = register & ~3;
        int shift = 8 * (register & 3);
        int mask = (int) (mask(width) << shift);
        int bits = (int) (value << shift) & mask;
        synchronized (this) {
            switch (word) {
                // The bytes behind the BAR's number are an identifier and padding: read-only.
                case VirtioPciLayout.CAP_BAR -> bar = ((bar & ~mask) | bits) & 0xff;
                case VirtioPciLayout.CAP_OFFSET -> offset = (offset & ~mask) | bits;
                case VirtioPciLayout.CAP_STRUCTURE_LENGTH -> length = (length & ~mask) | bits;
                case VirtioPciLayout.CAP_PCI_CFG_DATA -> data = (data & ~mask) | bits;
                default -> errors.add("configuration access window, register 0x%x", register);
            }
        }
        if (word == VirtioPciLayout.CAP_PCI_CFG_DATA) {
            store();
        }
    }

    synchronized int bar() {
        return bar;
    }

    synchronized int offset() {
        return offset;
    }

    synchronized int length() {
        return length;
    }

    synchronized void set(int newBar, int newOffset, int newLength) {
        bar = newBar & 0xff;
        offset = newOffset;
        length = newLength;
        data = 0;
    }

    private synchronized int register(int word) {
        return switch (word) {
            case VirtioPciLayout.CAP_BAR -> bar;
            case VirtioPciLayout.CAP_OFFSET -> offset;
            case VirtioPciLayout.CAP_STRUCTURE_LENGTH -> length;
            default -> 0;
        };
    }

    private int load() {
        int at;
        int width;
        synchronized (this) {
            at = offset;
            width = length;
            if (!valid()) {
                return data;
            }
        }
        int value = (int) (structures.read(at, width) & mask(width));
        synchronized (this) {
            data = value;
        }
        return value;
    }

    private void store() {
        int at;
        int width;
        long value;
        synchronized (this) {
            if (!valid()) {
                return;
            }
            at = offset;
            width = length;
            value = data & mask(width);
        }
        structures.write(at, width, value);
    }

    /** Section 4.1.4.9.2 lets a driver name 1, 2 or 4 bytes at a multiple of that. */
    private boolean valid() {
        boolean right =
                bar == structuresBar
                        && (length == 1 || length == 2 || length == 4)
                        && (offset & (length - 1)) == 0
                        && offset >= 0
                        && offset <= VirtioPciLayout.STRUCTURES_BYTES - length;
        if (!right) {
            errors.add(
                    "configuration access window at BAR %d, offset 0x%x, %d bytes",
                    bar, offset, length);
        }
        return right;
    }

    private static long mask(int width) {
        return (1L << 8 * width) - 1;
    }
}
