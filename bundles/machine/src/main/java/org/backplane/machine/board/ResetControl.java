package org.backplane.machine.board;

import org.backplane.bus.IoHandler;

/**
 * The ports 0xCF8 to 0xCFF of a PC: configuration mechanism 1, and in its midst, for accesses of
 * one byte, the reset control register of the chipset (Intel ICH9, 13.7.5, RST_CNT). Firmware's
 * tables need not tell of it: kernels know it as the way that is left when the others fail.
 */
final class ResetControl implements IoHandler {
    /** From the first port, in bytes. */
    private static final int OFFSET = 1;

    /** Resets when it is set; it never reads as set. */
    private static final int RESET_PROCESSOR = 0x04;

    private final IoHandler configuration;
    private final Runnable reset;

    /**
     * @param configuration answers all other accesses
     * @param reset posts the machine's reset, and returns
     */
    ResetControl(IoHandler configuration, Runnable reset) {
        this.configuration = configuration;
        this.reset = reset;
    }

    private static boolean isOurs(long offset, int width) {
        return offset == OFFSET && width == 1;
    }

    @Override
    public long read(long offset, int width) {
        return isOurs(offset, width) ? 0 : configuration.read(offset, width);
    }

    @Override
    public void write(long offset, int width, long value) {
        if (!isOurs(offset, width)) {
            configuration.write(offset, width, value);
        } else if ((value & RESET_PROCESSOR) != 0) {
            reset.run();
        }
    }
}
