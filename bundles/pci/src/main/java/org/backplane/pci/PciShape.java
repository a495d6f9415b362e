package org.backplane.pci;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What the guest sees of a function; two versions of a device must agree on it for a swap. A shape
 * that no function can have is refused with an {@link IllegalArgumentException}.
 *
 * @param classCode base class, subclass and interface, 24 bits (PCI 3.0, appendix D)
 * @param interruptPin 0 none, 1 INTA
 * @param bars at most one a slot number; a 64-bit BAR takes two
 * @param capabilities besides MSI and MSI-X; those without an offset of their own are put where
 *     there is room, in the order of the list
 * @param extended extended capabilities; where there are some and none is at 0x100, the chain
 *     begins with a null capability there (PCI Code and ID Assignment 1.11, chapter 3)
 * @param answered registers that the device answers as a {@link ConfigDevice}
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
        Optional<Msix> msix,
        Optional<Msi> msi,
        List<ExtendedCapability> extended,
        List<ConfigRange> answered) {

    public PciShape {
        requireBits("vendor id", vendorId, 16);
        requireBits("device id", deviceId, 16);
        requireBits("revision", revision, 8);
        requireBits("class code", classCode, 24);
        requireBits("subsystem vendor id", subsystemVendorId, 16);
        requireBits("subsystem id", subsystemId, 16);
        require(interruptPin >= 0 && interruptPin <= 4, "interrupt pin %d", interruptPin);
        bars = List.copyOf(bars);
        capabilities = List.copyOf(capabilities);
        requireApart(bars);
        if (msix.isPresent()) {
            requireInside(bars, msix.get());
        }
        extended = List.copyOf(extended);
        answered = List.copyOf(answered);
        CapabilityList.requireLegal(capabilities, msi, msix, answered);
        ExtendedCapabilities.requireLegal(extended);
    }

    /** A function without MSI, in conventional configuration space that the slot answers. */
    public PciShape(
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
        this(
                vendorId,
                deviceId,
                revision,
                classCode,
                subsystemVendorId,
                subsystemId,
                interruptPin,
                bars,
                capabilities,
                msix,
                Optional.empty(),
                List.of(),
                List.of());
    }

    /** The BAR of that number, if the function has it. */
    public Optional<Bar> bar(int index) {
        return bars.stream().filter(bar -> bar.index() == index).findFirst();
    }

    private static void requireApart(List<Bar> bars) {
        int taken = 0;
        for (Bar bar : bars) {
            int own = (bar.kind() == BarKind.MEMORY_64 ? 0b11 : 0b1) << bar.index();
            require((taken & own) == 0, "two BARs in register %d", bar.index());
            taken |= own;
        }
    }

    private static void requireInside(List<Bar> bars, Msix msix) {
        requireInside(bars, "MSI-X table", msix.tableBar(), msix.tableOffset(), msix.tableLength());
        requireInside(bars, "MSI-X PBA", msix.pbaBar(), msix.pbaOffset(), msix.pbaLength());
    }

    private static void requireInside(
            List<Bar> bars, String what, int index, long offset, long length) {
        Optional<Bar> home =
                bars.stream()
                        .filter(bar -> bar.index() == index && bar.kind() != BarKind.IO)
                        .findFirst();
        require(
                home.isPresent() && length <= home.get().size() - offset,
                "%s of %d bytes at 0x%x is not inside memory BAR %d",
                what,
                length,
                offset,
                index);
    }

    private static void requireBits(String what, int value, int bits) {
        require(value >>> bits == 0, "%s 0x%x has more than %d bits", what, value, bits);
    }

    private static void requireCapabilityOffset(OptionalInt at) {
        at.ifPresent(
                offset ->
                        require(
                                offset >= Type0Header.END
                                        && offset < Type0Header.SPACE_SIZE
                                        && offset % 4 == 0,
                                "capability at 0x%x",
                                offset));
    }

    static void require(boolean held, String refusal, Object... values) {
        if (!held) {
            throw new IllegalArgumentException("no PCI function: " + refusal.formatted(values));
        }
    }

    /** What a BAR decodes (PCI 3.0, section 6.2.5.1). */
    public enum BarKind {
        IO,
        MEMORY_32,
        MEMORY_64
    }

    /**
     * @param index 0 to 5, of the lower half where it takes two
     * @param size in bytes, a power of two; I/O 4 to 256 in hardware of others, at least 4 and at
     *     most 32 KiB; memory at least 16, and at most 2 GiB or 2^62
     */
    public record Bar(int index, BarKind kind, boolean prefetchable, long size) {
        public Bar {
            int last = kind == BarKind.MEMORY_64 ? 4 : 5;
            require(index >= 0 && index <= last, "%s BAR at register %d", kind, index);
            require(!(prefetchable && kind == BarKind.IO), "prefetchable I/O BAR %d", index);
            long least = kind == BarKind.IO ? 4 : 16;
            long most =
                    switch (kind) {
                        case IO -> 1L << 15;
                        case MEMORY_32 -> 1L << 31;
                        case MEMORY_64 -> 1L << 62;
                    };
            require(
                    Long.bitCount(size) == 1 && size >= least && size <= most,
                    "%s BAR %d of 0x%x bytes",
                    kind,
                    index,
                    size);
        }
    }

    /**
     * A capability of constant size.
     *
     * @param id PCI 3.0, appendix H
     * @param body without the two bytes of id and next pointer
     * @param writable one mask bit a body bit, same length as the body
     * @param at offset in configuration space, a multiple of 4; empty for wherever there is room
     */
    public record Capability(int id, byte[] body, byte[] writable, OptionalInt at) {
        public Capability {
            requireBits("capability id", id, 8);
            requireCapabilityOffset(at);
            require(
                    body.length == writable.length,
                    "capability 0x%x has %d bytes and masks for %d",
                    id,
                    body.length,
                    writable.length);
            body = body.clone();
            writable = writable.clone();
        }

        /** One that lies wherever there is room. */
        public Capability(int id, byte[] body, byte[] writable) {
            this(id, body, writable, OptionalInt.empty());
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
                    && at.equals(that.at)
                    && Arrays.equals(body, that.body)
                    && Arrays.equals(writable, that.writable);
        }

        @Override
        public int hashCode() {
            return id * 31 + Arrays.hashCode(body);
        }
    }

    /**
     * A capability in extended configuration space (PCI Express 5.0, section 7.6), which the guest
     * reaches by ECAM.
     *
     * @param offset 0x100 or above, a multiple of 4
     * @param id 16 bits
     * @param version 4 bits
     * @param body without the four bytes of the header
     * @param writable one mask bit a body bit, same length as the body
     */
    public record ExtendedCapability(
            int offset, int id, int version, byte[] body, byte[] writable) {
        public ExtendedCapability {
            requireBits("extended capability id", id, 16);
            requireBits("extended capability version", version, 4);
            require(
                    offset >= Type0Header.SPACE_SIZE
                            && offset % 4 == 0
                            && body.length
                                    <= Type0Header.EXTENDED_SIZE
                                            - Type0Header.EXTENDED_HEADER
                                            - offset,
                    "extended capability 0x%x of %d bytes at 0x%x",
                    id,
                    body.length + Type0Header.EXTENDED_HEADER,
                    offset);
            require(
                    body.length == writable.length,
                    "extended capability 0x%x has %d bytes and masks for %d",
                    id,
                    body.length,
                    writable.length);
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
            return other instanceof ExtendedCapability that
                    && offset == that.offset
                    && id == that.id
                    && version == that.version
                    && Arrays.equals(body, that.body)
                    && Arrays.equals(writable, that.writable);
        }

        @Override
        public int hashCode() {
            return (offset * 31 + id) * 31 + Arrays.hashCode(body);
        }
    }

    /**
     * Registers of configuration space that the device answers itself. Ids and next pointers of the
     * capabilities in there stay the slot's.
     *
     * @param offset 0x40 or above, a multiple of 4
     * @param length in bytes, a multiple of 4; neither MSI nor MSI-X are in it
     */
    public record ConfigRange(int offset, int length) {
        public ConfigRange {
            require(
                    offset >= Type0Header.END
                            && length > 0
                            && offset % 4 == 0
                            && length % 4 == 0
                            && length <= Type0Header.EXTENDED_SIZE - offset,
                    "registers of a device at 0x%x, %d bytes",
                    offset,
                    length);
        }

        /** The first byte behind it. */
        public int end() {
            return offset + length;
        }
    }

    /**
     * The MSI capability (PCI 3.0, section 6.8.1).
     *
     * @param vectors messages that it asks for: 1, 2, 4, 8, 16 or 32
     * @param wide whether it can send to 64-bit addresses
     * @param maskable whether it has mask and pending bits
     * @param at offset in configuration space, a multiple of 4; empty for wherever there is room
     */
    public record Msi(int vectors, boolean wide, boolean maskable, OptionalInt at) {
        public Msi {
            require(
                    Integer.bitCount(vectors) == 1 && vectors > 0 && vectors <= 32,
                    "%d MSI vectors",
                    vectors);
            requireCapabilityOffset(at);
        }

        /** One that lies wherever there is room. */
        public Msi(int vectors, boolean wide, boolean maskable) {
            this(vectors, wide, maskable, OptionalInt.empty());
        }
    }

    /**
     * Where the MSI-X structures lie (PCI 3.0, section 6.8.2). They may share a BAR with each other
     * and with registers of the device.
     *
     * @param vectors 1 to 2,048
     * @param tableOffset in bytes, multiple of 8; 16 bytes a vector
     * @param pbaOffset in bytes, multiple of 8; 8 bytes for each 64 vectors begun
     * @param at offset of the capability in configuration space; empty for wherever there is room
     */
    public record Msix(
            int vectors,
            int tableBar,
            long tableOffset,
            int pbaBar,
            long pbaOffset,
            OptionalInt at) {
        public Msix {
            requireCapabilityOffset(at);
            require(vectors >= 1 && vectors <= 2048, "%d MSI-X vectors", vectors);
            requireOffset("MSI-X table", tableOffset);
            requireOffset("MSI-X PBA", pbaOffset);
            require(
                    tableBar != pbaBar
                            || tableOffset + tableLength(vectors) <= pbaOffset
                            || pbaOffset + pbaLength(vectors) <= tableOffset,
                    "MSI-X table at 0x%x and PBA at 0x%x overlap",
                    tableOffset,
                    pbaOffset);
        }

        /** One whose capability lies wherever there is room. */
        public Msix(int vectors, int tableBar, long tableOffset, int pbaBar, long pbaOffset) {
            this(vectors, tableBar, tableOffset, pbaBar, pbaOffset, OptionalInt.empty());
        }

        /** Offset and BAR number share a register of 32 bits. */
        private static void requireOffset(String what, long offset) {
            require(offset % 8 == 0 && offset >>> 32 == 0, "%s at offset 0x%x", what, offset);
        }

        /** In bytes. */
        public int tableLength() {
            return tableLength(vectors);
        }

        /** In bytes. */
        public int pbaLength() {
            return pbaLength(vectors);
        }

        private static int tableLength(int vectors) {
            return vectors * Type0Header.MSIX_ENTRY_LENGTH;
        }

        private static int pbaLength(int vectors) {
            return (vectors + 63) / 64 * 8;
        }
    }
}
