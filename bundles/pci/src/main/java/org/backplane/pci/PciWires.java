package org.backplane.pci;

/** What a device pulls on: its function's interrupts. Thread-safe, never waits. */
public final class PciWires {
    private final PciFunction function;

    PciWires(PciFunction function) {
        this.function = function;
    }

    /**
     * Raises an MSI-X vector; pending while masked, or while the guest has not made the function a
     * bus master. Nothing happens if MSI-X is off.
     *
     * @throws IllegalArgumentException the function has no such vector
     */
    public void signal(int vector) {
        function.signal(vector);
    }

    /**
     * Sets the level of the function's INTx pin; gated by COMMAND.INTX_DISABLE and MSI-X. A
     * function without a pin shows it in STATUS only.
     */
    public void interrupt(boolean level) {
        function.interrupt(level);
    }

    public boolean msixEnabled() {
        return function.msixEnabled();
    }
}
