package org.backplane.machine.slot;

import java.util.Map;
import java.util.Optional;
import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.machine.SlotCounters;
import org.backplane.pci.PciDevice;
import org.backplane.pci.PciFunction;
import org.backplane.virtio.VirtioDevice;

/** A device that is nothing but its regions and lines, which the slot's environment keeps. */
final class PlatformFace implements Face {
    @Override
    public Optional<String> mismatch(Device device) {
        return device instanceof PciDevice || device instanceof VirtioDevice
                ? Optional.of("the slot holds a platform device, the new one is a PCI device")
                : Optional.empty();
    }

    @Override
    public Optional<SavedState> save() {
        return Optional.empty();
    }

    @Override
    public void restore(SavedState saved) throws DeviceException {
        throw new DeviceException(
                "the state of a '%s' is none of a platform device".formatted(saved.schema()));
    }

    @Override
    public Runnable introduce(Device device, boolean fresh) {
        return () -> {};
    }

    @Override
    public void disconnect() {}

    @Override
    public void kick() {}

    @Override
    public void reset() {}

    @Override
    public void failed() {}

    @Override
    public Optional<PciFunction> function() {
        return Optional.empty();
    }

    /** Nothing tells whether the guest uses it. */
    @Override
    public boolean released() {
        return false;
    }

    @Override
    public SlotCounters counters() {
        return SlotCounters.none("");
    }

    @Override
    public Map<String, String> facts() {
        return Map.of();
    }

    @Override
    public void close() {}
}
