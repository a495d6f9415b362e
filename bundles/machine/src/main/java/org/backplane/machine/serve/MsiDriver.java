package org.backplane.machine.serve;

import org.backplane.pci.MsiLayout;
import org.backplane.pci.PciShape;
import org.backplane.vfio.VfioDevice;

/**
 * The driver of MSI (PCI 3.0, section 6.8.1). It grants as many messages as reach the last vector
 * that is open: the function sends what it has for others by those (section 6.8.1.6), as it would
 * for a guest that has taken no more.
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
        // Each exponent is one more bit of the vector's number.
        int granted = Integer.SIZE - Integer.numberOfLeadingZeros(last());
        function.writeConfig(
                capability + MsiLayout.CONTROL,
                2,
                (on ? MsiLayout.CONTROL_ENABLE : 0) | granted << MsiLayout.CONTROL_ENABLED_SHIFT);
    }

    /** Number of the last vector that is open; 0 if there is none. */
    private int last() {
        return Math.max(0, Integer.SIZE - 1 - Integer.numberOfLeadingZeros(open));
    }

    @Override
    boolean owns(int offset) {
        return offset >= capability && offset < capability + layout.length();
    }
}
