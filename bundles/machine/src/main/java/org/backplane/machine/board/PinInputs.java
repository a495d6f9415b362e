package org.backplane.machine.board;

import java.util.Optional;
import java.util.function.IntBinaryOperator;
import org.backplane.device.context.Lease;
import org.backplane.linux.EventFd;
import org.backplane.pci.HostBridge;

/** Joins the pins of PCI's device numbers to a board's lines. Thread-safe. */
final class PinInputs implements HostBridge.PinRouter {
    private static final int DEVICES = 32;

    private final InterruptLines lines;
    private final int pins;
    private final InterruptLines.Input[] inputs;

    /**
     * @param pins of each device, the first is 1
     * @param source of a device number and a pin
     */
    PinInputs(InterruptLines lines, int pins, IntBinaryOperator source) {
        this.lines = lines;
        this.pins = pins;
        inputs = new InterruptLines.Input[DEVICES * pins];
        for (int device = 0; device < DEVICES; device++) {
            for (int pin = 1; pin <= pins; pin++) {
                inputs[device * pins + pin - 1] = lines.input(source.applyAsInt(device, pin));
            }
        }
    }

    @Override
    public void set(int device, int pin, boolean high) {
        inputs[device * pins + pin - 1].set(high);
    }

    @Override
    public Lease onFinished(int device, int pin, Runnable listener) {
        return lines.onFinished(source(device, pin), listener);
    }

    @Override
    public Optional<Lease> route(int device, int pin, EventFd trigger, EventFd resample) {
        return lines.route(source(device, pin), trigger, resample);
    }

    private int source(int device, int pin) {
        return inputs[device * pins + pin - 1].source();
    }
}
