package org.backplane.pci;

import org.backplane.bus.Bus;
import org.backplane.bus.IoHandler;

/**
 * What the bus finds where a BAR decodes: MSI-X bytes are the slot's, all others the handler's. An
 * access that was dispatched just before the function left finds all ones, too.
 */
final class BarDecoder implements IoHandler {
    private final PciFunction function;
    private final int bar;
    private final MsixTable msix;
    private final BarHandler handler;

    /**
     * @param msix null if the function has none
     */
    BarDecoder(PciFunction function, int bar, MsixTable msix, BarHandler handler) {
        this.function = function;
        this.bar = bar;
        this.msix = msix;
        this.handler = handler;
    }

    @Override
    public long read(long offset, int width) {
        if (function.closed()) {
            return Bus.allOnes(width);
        }
        function.countRead();
        if (msix != null && msix.covers(bar, offset, width)) {
            return msix.read(bar, offset, width);
        }
        long value = handler.read(bar, offset, width);
        return function.closed() ? Bus.allOnes(width) : value;
    }

    @Override
    public void write(long offset, int width, long value) {
        if (function.closed()) {
            return;
        }
        function.countWrite();
        if (msix != null && msix.covers(bar, offset, width)) {
            if (msix.write(bar, offset, width, value)) {
                handler.interruptsChanged();
            }
        } else {
            handler.write(bar, offset, width, value);
        }
    }
}
