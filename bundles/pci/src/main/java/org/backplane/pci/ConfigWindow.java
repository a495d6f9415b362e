package org.backplane.pci;

import org.backplane.bus.IoHandler;

/**
 * A window of memory onto configuration space: the register's bits, above them bus (8 bits), device
 * (5) and function (3).
 */
final class ConfigWindow implements IoHandler {
    private final FunctionsByNumber functions;
    private final int registerBits;

    private ConfigWindow(FunctionsByNumber functions, int registerBits) {
        this.functions = functions;
        this.registerBits = registerBits;
    }

    /** 4,096 bytes a function (PCI Express 5.0, section 7.2.2). */
    static ConfigWindow ecam(FunctionsByNumber functions) {
        return new ConfigWindow(functions, 12);
    }

    /** 256 bytes a function: what there was before ECAM. */
    static ConfigWindow cam(FunctionsByNumber functions) {
        return new ConfigWindow(functions, 8);
    }

    @Override
    public long read(long offset, int width) {
        return functions.read(number(offset), register(offset), width);
    }

    @Override
    public void write(long offset, int width, long value) {
        functions.write(number(offset), register(offset), width, value);
    }

    private int number(long offset) {
        return (int) (offset >>> registerBits) & 0xffff;
    }

    private int register(long offset) {
        return (int) offset & (1 << registerBits) - 1;
    }
}
