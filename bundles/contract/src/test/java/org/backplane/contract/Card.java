package org.backplane.contract;

import java.util.List;
import java.util.Optional;
import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.backplane.pci.PciDevice;
import org.backplane.pci.PciShape;
import org.backplane.pci.PciWires;

/** A PCI device that keeps the contract: a byte in a BAR, and one of guest memory behind it. */
class Card implements PciDevice {
    static final String KIND = "card";

    final DeviceContext context;
    PciWires wires;
    int register;

    Card(DeviceContext context) throws DeviceException {
        if (!context.settings().isEmpty()) {
            throw new DeviceException(
                    "No setting %s is known.".formatted(context.settings().keySet()));
        }
        this.context = context;
    }

    long size() {
        return 4096;
    }

    @Override
    public PciShape shape() {
        return new PciShape(
                0x1234,
                1,
                0,
                0x00ff00,
                0,
                0,
                1,
                List.of(new PciShape.Bar(0, PciShape.BarKind.MEMORY_32, false, size())),
                List.of(),
                Optional.empty());
    }

    @Override
    public long readBar(int bar, long offset, int width) {
        return offset == 0 ? register : 0;
    }

    @Override
    public void writeBar(int bar, long offset, int width, long value) {
        if (offset == 0) {
            register = (int) value & 0xff;
            wires.interrupt(register != 0);
        }
    }

    @Override
    public void wired(PciWires given) {
        wires = given;
    }

    @Override
    public void start() {
        wires.interrupt(register != 0);
    }

    @Override
    public void quiesce() {
        // Nothing is ever under way.
    }

    @Override
    public boolean idle() {
        return true;
    }

    @Override
    public void resume() {
        // Nothing was stopped.
    }

    @Override
    public void reset() {
        register = 0;
        wires.interrupt(false);
    }

    @Override
    public SaveSupport saveSupport() {
        return new SaveSupport.Saveable(
                () -> SavedState.of(KIND, 1).number("register", register).build(),
                state -> {
                    state.require(KIND, 1);
                    register = (int) state.number("register", 0, 0, 0xff);
                });
    }

    @Override
    public void close() {
        // Nothing is held.
    }
}
