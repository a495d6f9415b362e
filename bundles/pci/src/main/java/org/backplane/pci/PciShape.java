package org.backplane.pci;

import java.util.List;
import java.util.Optional;

/**
 * What the guest sees of a function; two versions of a device must agree on it for a swap.
 *
 * @param classCode base class, subclass and interface, 24 bits (PCI 3.0, appendix D)
 * @param interruptPin 0 none, 1 INTA
 * @param bars at most one a slot number; a 64-bit BAR takes two
 * @param capabilities besides MSI-X, in the order of the list
 */
public record PciShape(
        int vendorId,
        int deviceId,
        int revision,
        int classCode,
        int subsystemVendorId,
        int subsystemId,
        int interruptPin,
        List<Bar> bars,
        List<Capability> capabilities,
        Optional<Msix> msix) {

    public PciShape {
        bars = List.copyOf(bars);
        capabilities = List.copyOf(capabilities);
    }

    /** What a BAR decodes (PCI 3.0, section 6.2.5.1). */
    public enum BarKind {
        IO,
        MEMORY_32,
        MEMORY_64
    }

    /**
     * @param index 0 to 5, of the lower half where it takes two
     * @param size in bytes, a power of two; I/O 4 to 256 in hardware of others, at least 4; memory
     *     at least 16
     */
    public record Bar(int index, BarKind kind, boolean prefetchable, long size) {}

    /**
     * A capability of constant size.
     *
     * @param id PCI 3.0, appendix H
     * @param body without the two bytes of id and next pointer
     * @param writable one mask bit a body bit, same length as the body
     */
    public record Capability(int id, byte[] body, byte[] writable) {
        public Capability {
            body = body.clone();
            writable = writable.clone();
        }

        @Override
        public byte[] body() {
            return body.clone();
        }

        @Override
        public byte[] writable() {
            return writable.clone();
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Capability that
                    && id == that.id
                    && java.util.Arrays.equals(body, that.body)
                    && java.util.Arrays.equals(writable, that.writable);
        }

        @Override
        public int hashCode() {
            return id * 31 + java.util.Arrays.hashCode(body);
        }
    }

    /**
     * Where the MSI-X structures lie (PCI 3.0, section 6.8.2).
     *
     * @param vectors 1 to 2,048
     * @param tableOffset in bytes, multiple of 8; 16 bytes a vector
     * @param pbaOffset in bytes, multiple of 8; 8 bytes for each 64 vectors begun
     */
    public record Msix(int vectors, int tableBar, long tableOffset, int pbaBar, long pbaOffset) {}
}
