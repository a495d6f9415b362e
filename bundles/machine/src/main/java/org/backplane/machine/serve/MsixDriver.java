package org.backplane.machine.serve;

import org.backplane.pci.PciShape;
import org.backplane.pci.Type0Header;
import org.backplane.vfio.VfioDevice;

/**
 * The driver of MSI-X (PCI 3.0, section 6.8.2): what the device asks of a vector that is masked
 * stays pending.
 */
final class MsixDriver extends VectorDriver {
    private static final int QWORD = 8;

    private final FunctionAccess function;
    private final PciShape.Msix shape;
    private final int capability;

    /**
     * @param capability its offset
     */
    MsixDriver(FunctionAccess function, PciShape.Msix shape, int capability) {
        super(VfioDevice.MSIX, shape.vectors());
        this.function = function;
        this.shape = shape;
        this.capability = capability;
    }

    @Override
    void program(int vector, boolean opens) {
        long entry = shape.tableOffset() + (long) vector * Type0Header.MSIX_ENTRY_LENGTH;
        long control = opens ? 0 : Type0Header.MSIX_ENTRY_MASKED;
        function.writeBar(
                shape.tableBar(),
                entry + Type0Header.MSIX_ENTRY_ADDRESS,
                QWORD,
                ClientInterrupts.address(kind()));
        function.writeBar(
                shape.tableBar(),
                entry + Type0Header.MSIX_ENTRY_DATA,
                QWORD,
                vector | control << 32);
    }

    @Override
    void enable(boolean on) {
        function.writeConfig(
                capability + Type0Header.MSIX_CONTROL, 2, on ? Type0Header.MSIX_CONTROL_ENABLE : 0);
    }

    @Override
    boolean owns(int offset) {
        return offset >= capability && offset < capability + Type0Header.MSIX_LENGTH;
    }

    /** Whether an access to a BAR would reach the table, which is nobody's but this driver's. */
    boolean covers(int bar, long offset, int width) {
        return bar == shape.tableBar()
                && offset < shape.tableOffset() + shape.tableLength()
                && shape.tableOffset() < offset + width;
    }
}
