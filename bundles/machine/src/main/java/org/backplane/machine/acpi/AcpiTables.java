package org.backplane.machine.acpi;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The tables of Advanced Configuration and Power Interface 6.5 for an x86-64 board: full ACPI, not
 * hardware-reduced, because kernels give up the PIC and the PIT otherwise. One block of bytes that
 * depends on its description and address alone, with the root pointer first.
 */
public final class AcpiTables {
    /** What the block's address has to be a multiple of, in bytes. */
    public static final int ALIGNMENT = 64;

    private static final int RSDP_BYTES = 36;
    private static final int RSDP_FIRST_CHECKSUM = 8;
    private static final int RSDP_FIRST_BYTES = 20;
    private static final int RSDP_EXTENDED_CHECKSUM = 32;
    private static final int FACS_BYTES = 64;
    private static final int FACS_VERSION = 2;
    private static final int DSDT_REVISION = 2;

    private final long base;
    private final byte[] bytes;

    private AcpiTables(long base, byte[] bytes) {
        this.base = base;
        this.bytes = bytes;
    }

    /**
     * Builds the tables.
     *
     * @param base guest address of the block: a multiple of {@link #ALIGNMENT}, all of it below 4
     *     GiB, and between 0xe0000 and 0xfffff if kernels shall find the root pointer by looking
     *     for it (section 5.2.5.1)
     */
    public static AcpiTables build(AcpiDescription board, long base) {
        if (base < 0 || base % ALIGNMENT != 0) {
            throw new IllegalArgumentException(
                    "tables cannot begin at 0x%x: not a multiple of %d".formatted(base, ALIGNMENT));
        }
        var block = new Block(base);
        block.skip(ALIGNMENT);
        long facs = block.add(facs());
        long dsdt = block.add(dsdt(board));
        var tables = new ArrayList<Long>();
        tables.add(block.add(FixedTables.fadt(board, facs, dsdt)));
        tables.add(block.add(FixedTables.madt(board)));
        tables.add(block.add(FixedTables.mcfg(board.pci())));
        FixedTables.spcr(board).ifPresent(spcr -> tables.add(block.add(spcr)));
        long[] addresses = tables.stream().mapToLong(Long::longValue).toArray();
        block.put(rsdp(block.add(FixedTables.xsdt(addresses))));
        return new AcpiTables(base, block.bytes());
    }

    /** Guest address of the root pointer, which is the block's. */
    public long rootPointer() {
        return base;
    }

    /** The block, to be copied to its address. */
    public byte[] bytes() {
        return bytes.clone();
    }

    private static byte[] dsdt(AcpiDescription board) {
        return new DescriptionTable("DSDT", DSDT_REVISION)
                .bytes(Namespace.of(board).bytes())
                .build();
    }

    /** Root pointer, revision 2: to the XSDT alone (section 5.2.5.3). */
    private static byte[] rsdp(long xsdt) {
        ByteBuffer rsdp = ByteBuffer.allocate(RSDP_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        rsdp.put("RSD PTR ".getBytes(StandardCharsets.US_ASCII));
        rsdp.put((byte) 0);
        rsdp.put(DescriptionTable.OEM.getBytes(StandardCharsets.US_ASCII));
        rsdp.put((byte) 2).putInt(0).putInt(RSDP_BYTES).putLong(xsdt);
        byte[] bytes = rsdp.array();
        bytes[RSDP_FIRST_CHECKSUM] = DescriptionTable.checksum(bytes, 0, RSDP_FIRST_BYTES);
        bytes[RSDP_EXTENDED_CHECKSUM] = DescriptionTable.checksum(bytes, 0, RSDP_BYTES);
        return bytes;
    }

    /** Firmware's side of waking and of the global lock, neither of which there is (5.2.10). */
    private static byte[] facs() {
        ByteBuffer facs = ByteBuffer.allocate(FACS_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        facs.put("FACS".getBytes(StandardCharsets.US_ASCII)).putInt(FACS_BYTES);
        return facs.put(32, (byte) FACS_VERSION).array();
    }

    /** Tables one behind the other, each at a multiple of the alignment. */
    private static final class Block {
        private final long base;
        private final List<byte[]> parts = new ArrayList<>();
        private int length;

        Block(long base) {
            this.base = base;
        }

        void skip(int bytes) {
            parts.add(new byte[bytes]);
            length += bytes;
        }

        /** Returns the table's guest address. */
        long add(byte[] table) {
            long address = base + length;
            int padded = (table.length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
            if (address + padded > 1L << 32) {
                throw new IllegalArgumentException(
                        "tables at 0x%x do not end below 4 GiB".formatted(base));
            }
            parts.add(Arrays.copyOf(table, padded));
            length += padded;
            return address;
        }

        /** Fills what was skipped first. */
        void put(byte[] table) {
            System.arraycopy(table, 0, parts.get(0), 0, table.length);
        }

        byte[] bytes() {
            ByteBuffer all = ByteBuffer.allocate(length);
            parts.forEach(all::put);
            return all.array();
        }
    }
}
