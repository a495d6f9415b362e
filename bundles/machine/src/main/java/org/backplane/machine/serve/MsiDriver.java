package org.backplane.machine.serve;

import org.backplane.pci.MsiLayout;
import org.backplane.pci.PciShape;
import org.backplane.vfio.VfioDevice;

/**
 * The driver of MSI (PCI 3.0, section 6.8.1), which grants every message that the function asks
 * for.
 */
final class MsiDriver extends VectorDriver {
    private final FunctionAccess function;
    private final MsiLayout layout;
    private final int capability;

    /** One bit a vector. */
    private int open;

    /**
     * @param capability its offset
     */
    MsiDriver(FunctionAccess function, PciShape.Msi shape, int capability) {
        super(VfioDevice.MSI, shape.vectors());
        this.function = function;
        this.capability = capability;
        layout = MsiLayout.of(shape);
    }

    @Override
    void program(int vector, boolean opens) {
        open = opens ? open | 1 << vector : open & ~(1 << vector);
        if (layout.maskable()) {
            function.writeConfig(capability + layout.mask(), 4, ~open & layout.vectorBits());
        }
    }

    @Override
    void enable(boolean on) {
        if (on) {
            function.writeConfig(
                    capability + MsiLayout.ADDRESS, 4, ClientInterrupts.address(kind()));
            if (layout.wide()) {
                function.writeConfig(capability + MsiLayout.UPPER_ADDRESS, 4, 0);
            }
            function.writeConfig(capability + layout.data(), 2, 0);
        }
        int granted = Integer.numberOfTrailingZeros(vectors());
        function.writeConfig(
                capability + MsiLayout.CONTROL,
                2,
                (on ? MsiLayout.CONTROL_ENABLE : 0) | granted << MsiLayout.CONTROL_ENABLED_SHIFT);
    }

    @Override
    boolean owns(int offset) {
        return offset >= capability && offset < capability + layout.length();
    }
}
