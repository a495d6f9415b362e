package org.backplane.pci;

/**
 * Where configuration accesses find a function. The bus number is what the guest programmed last
 * into the bridge above.
 *
 * @param bus 0 to 255
 * @param device 0 to 31
 * @param function 0 to 7
 */
public record PciAddress(int bus, int device, int function) {
    /** As the Linux kernel prints it, without the segment: {@code 01:00.0}. */
    @Override
    public String toString() {
        return "%02x:%02x.%x".formatted(bus, device, function);
    }
}
