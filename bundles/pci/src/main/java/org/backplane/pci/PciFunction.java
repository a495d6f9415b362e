package org.backplane.pci;

import java.util.List;
import org.backplane.bus.ClaimException;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;

/** A type-0 function in a slot: config space, BARs, MSI-X. Made by {@link HostBridge#plug}. */
public final class PciFunction implements AutoCloseable {
    PciFunction() {}

    public String slot() {
        throw new AssertionError("skeleton");
    }

    /** Device number on bus 0. */
    public int device() {
        throw new AssertionError("skeleton");
    }

    public PciShape shape() {
        throw new AssertionError("skeleton");
    }

    public PciWires wires() {
        throw new AssertionError("skeleton");
    }

    /** As firmware does: gives each BAR an address in the bridge's windows, or refuses. */
    public void place() throws ClaimException {
        throw new AssertionError("skeleton");
    }

    public long readConfig(int offset, int width) {
        throw new AssertionError("skeleton");
    }

    public void writeConfig(int offset, int width, long value) {
        throw new AssertionError("skeleton");
    }

    /** State of one BAR, for the address map. base is -1 while unplaced. */
    public record BarState(PciShape.Bar bar, long register, long base, boolean decoding) {}

    public List<BarState> bars() {
        throw new AssertionError("skeleton");
    }

    /** Whether memory decoding and bus mastering are off: the guest has let go. */
    public boolean released() {
        throw new AssertionError("skeleton");
    }

    /** Puts config space and MSI-X into the state after {@link #place}. */
    public void reset() {
        throw new AssertionError("skeleton");
    }

    public SavedState save() {
        throw new AssertionError("skeleton");
    }

    public void restore(SavedState state) throws DeviceException {
        throw new AssertionError("skeleton");
    }

    /** Leaves the bus: all ones from now on, claims given back, INTx low. */
    @Override
    public void close() {
        throw new AssertionError("skeleton");
    }
}
