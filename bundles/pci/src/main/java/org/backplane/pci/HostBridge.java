package org.backplane.pci;

import java.util.List;
import org.backplane.bus.AddressAllocator;
import org.backplane.bus.Bus;
import org.backplane.bus.IoHandler;

/** A PCI host bridge: bus 0 behind an ECAM window (PCI Express 4.0, section 7.2.2). */
public final class HostBridge {
    /** The windows that BARs live in; a 64-bit BAR falls back to the 32-bit one. */
    public record Windows(AddressAllocator io, AddressAllocator mmio32, AddressAllocator mmio64) {}

    /** Drives the wired interrupt of a device number's pin (INTA = 1); thread-safe. */
    @FunctionalInterface
    public interface PinRouter {
        void set(int device, int pin, boolean high);
    }

    public HostBridge(Bus bus, Windows windows, MsiSink msi, PinRouter pins) {
        throw new AssertionError("skeleton");
    }

    /** Answers config accesses at ECAM offsets: bus 8 bits, device 5, function 3, register 12. */
    public IoHandler ecam() {
        throw new AssertionError("skeleton");
    }

    /**
     * Puts a function on bus 0 at the lowest free device number from 1, or at the one given.
     *
     * @param device -1 for any
     */
    public PciFunction plug(String slot, int device, PciShape shape, BarHandler handler)
            throws org.backplane.bus.ClaimException {
        throw new AssertionError("skeleton");
    }

    public List<PciFunction> functions() {
        throw new AssertionError("skeleton");
    }
}
