package org.backplane.machine.slot;

import java.util.Map;
import java.util.Optional;
import org.backplane.bus.ClaimException;
import org.backplane.device.Device;
import org.backplane.pci.BarHandler;
import org.backplane.pci.PciDevice;
import org.backplane.pci.PciFunction;

/** A PCI function whose BARs are answered, through the gate, by the device behind it. */
final class PciFace implements Face, BarHandler {
    private final SlotGear gear;
    private final PciFunction function;
    private volatile PciDevice device;

    PciFace(SlotGear gear, PciDevice first) throws ClaimException {
        this.gear = gear;
        function = gear.board().bridge().plug(gear.name(), -1, first.shape(), this);
        try {
            function.place();
        } catch (ClaimException e) {
            function.close();
            throw e;
        }
    }

    @Override
    public Optional<String> mismatch(Device other) {
        if (other instanceof PciDevice pci && pci.shape().equals(function.shape())) {
            return Optional.empty();
        }
        return Optional.of(
                "the guest sees %s, the new device is %s"
                        .formatted(
                                function.shape(),
                                other instanceof PciDevice pci ? pci.shape() : "no PCI device"));
    }

    @Override
    public void connect(Device next, boolean fresh) {
        var pci = (PciDevice) next;
        if (fresh) {
            pci.wired(function.wires());
        }
        device = pci;
    }

    @Override
    public void disconnect() {
        device = null;
    }

    @Override
    public long read(int bar, long offset, int width) {
        Gate gate = gear.gate();
        if (!gate.enter()) {
            return -1;
        }
        try {
            return device.readBar(bar, offset, width);
        } catch (Throwable e) {
            gear.failed().accept(e);
            return -1;
        } finally {
            gate.leave();
        }
    }

    @Override
    public void write(int bar, long offset, int width, long value) {
        Gate gate = gear.gate();
        if (!gate.enter()) {
            return;
        }
        try {
            device.writeBar(bar, offset, width, value);
        } catch (Throwable e) {
            gear.failed().accept(e);
        } finally {
            gate.leave();
        }
    }

    @Override
    public void kick() {}

    @Override
    public void reset() {
        function.reset();
    }

    @Override
    public void failed() {}

    @Override
    public Optional<PciFunction> function() {
        return Optional.of(function);
    }

    @Override
    public boolean released() {
        return function.released();
    }

    @Override
    public Map<String, String> facts() {
        return Map.of();
    }

    @Override
    public void close() {
        function.close();
    }
}
