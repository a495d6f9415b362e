package org.backplane.testkit.vfio;

import java.util.List;

/**
 * A register of a BAR, little-endian.
 *
 * @param offset in bytes
 * @param width 1, 2, 4 or 8 bytes
 * @param value at first and after a reset
 * @param writable mask of the bits that keep what is written
 * @param selfClearing mask of the bits that are 0 again once written, among the writable ones
 * @param actions of a write that touches any of its bytes, in order
 */
public record Register(
        long offset,
        int width,
        long value,
        long writable,
        long selfClearing,
        List<Action> actions) {
    public Register {
        if (width != 1 && width != 2 && width != 4 && width != 8 || offset % width != 0) {
            throw new IllegalArgumentException(
                    "a register of %d bytes at 0x%x".formatted(width, offset));
        }
        actions = List.copyOf(actions);
    }

    /** One that keeps its value. */
    public static Register fixed(long offset, int width, long value) {
        return new Register(offset, width, value, 0, 0, List.of());
    }

    /** One that keeps what is written to some of its bits. */
    public static Register masked(long offset, int width, long value, long writable) {
        return new Register(offset, width, value, writable, 0, List.of());
    }

    /** One that is 0 at first, keeps what is written, and acts. */
    public static Register acting(long offset, int width, Action... actions) {
        return new Register(offset, width, 0, -1, 0, List.of(actions));
    }
}
