package org.backplane.pci;

/** What a device pulls on: its function's interrupts. Thread-safe, never waits. */
public final class PciWires {
    PciWires(PciFunction function) {
        throw new AssertionError("skeleton");
    }

    /** Raises an MSI-X vector; pending while masked. Nothing happens if MSI-X is off. */
    public void signal(int vector) {
        throw new AssertionError("skeleton");
    }

    /** Sets the level of the function's INTx pin; gated by COMMAND.INTX_DISABLE and MSI-X. */
    public void interrupt(boolean level) {
        throw new AssertionError("skeleton");
    }

    public boolean msixEnabled() {
        throw new AssertionError("skeleton");
    }
}
