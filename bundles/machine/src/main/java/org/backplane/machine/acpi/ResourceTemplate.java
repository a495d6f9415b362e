package org.backplane.machine.acpi;

import java.io.ByteArrayOutputStream;
import org.backplane.bus.AddressRange;

/** A list of resource descriptors (ACPI 6.5, section 6.4), as _CRS gives it. Used by one thread. */
final class ResourceTemplate {
    // Small descriptors: type and length in one byte (section 6.4.2).
    private static final int IRQ = 0x22;
    private static final int IO_PORT = 0x47;
    private static final int END_TAG = 0x79;

    // Large ones, followed by a length of two bytes (section 6.4.3).
    private static final int MEMORY_32_FIXED = 0x86;
    private static final int DWORD_ADDRESS = 0x87;
    private static final int WORD_ADDRESS = 0x88;
    private static final int EXTENDED_INTERRUPT = 0x89;
    private static final int QWORD_ADDRESS = 0x8a;

    private static final int TYPE_MEMORY = 0;
    private static final int TYPE_IO = 1;
    private static final int TYPE_BUS = 2;

    /** Minimum and maximum are both fixed; the device decodes positively. */
    private static final int FIXED = 1 << 3 | 1 << 2;

    private static final int PRODUCER = 0;
    private static final int CONSUMER = 1;

    /** Type-specific flags: memory is writable and not cacheable; I/O is the whole range. */
    private static final int WRITABLE = 1;

    private static final int ENTIRE_RANGE = 3;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    /** I/O ports that a device decodes with all 16 address bits. */
    ResourceTemplate ports(AddressRange ports) {
        checkPorts(ports);
        if (ports.size() > 0xff) {
            return addressSpace(WORD_ADDRESS, 2, TYPE_IO, CONSUMER, ENTIRE_RANGE, ports);
        }
        little(IO_PORT, 1);
        little(1, 1);
        little(ports.base(), 2);
        little(ports.base(), 2);
        little(1, 1);
        return little(ports.size(), 1);
    }

    /** Memory addresses that a device decodes. */
    ResourceTemplate memory(AddressRange memory) {
        if (memory.end() > 1L << 32) {
            return addressSpace(QWORD_ADDRESS, 8, TYPE_MEMORY, CONSUMER, WRITABLE, memory);
        }
        little(MEMORY_32_FIXED, 1);
        little(9, 2);
        little(WRITABLE, 1);
        little(memory.base(), 4);
        return little(memory.size(), 4);
    }

    /**
     * Interrupts below 16 as on an ISA bus: edge, active high; others level, active high, shared.
     */
    ResourceTemplate interrupt(int interrupt) {
        if (interrupt < 0) {
            throw new IllegalArgumentException("interrupt " + interrupt);
        }
        if (interrupt < 16) {
            little(IRQ, 1);
            return little(1 << interrupt, 2);
        }
        little(EXTENDED_INTERRUPT, 1);
        little(6, 2);
        // Consumer, shared.
        little(1 << 3 | 1, 1);
        little(1, 1);
        return little(interrupt, 4);
    }

    /** Bus numbers from 0 that a host bridge hands on. */
    ResourceTemplate buses(int count) {
        return addressSpace(WORD_ADDRESS, 2, TYPE_BUS, PRODUCER, 0, new AddressRange(0, count));
    }

    /** I/O ports that a host bridge hands on. */
    ResourceTemplate portWindow(AddressRange ports) {
        checkPorts(ports);
        return addressSpace(WORD_ADDRESS, 2, TYPE_IO, PRODUCER, ENTIRE_RANGE, ports);
    }

    /** Memory addresses that a host bridge hands on. */
    ResourceTemplate memoryWindow(AddressRange memory) {
        boolean narrow = memory.end() <= 1L << 32;
        return addressSpace(
                narrow ? DWORD_ADDRESS : QWORD_ADDRESS,
                narrow ? 4 : 8,
                TYPE_MEMORY,
                PRODUCER,
                WRITABLE,
                memory);
    }

    /** The encoded list with its end tag, whose checksum of 0 is always right. */
    Aml build() {
        little(END_TAG, 1);
        little(0, 1);
        return Aml.buffer(out.toByteArray());
    }

    /** An address space descriptor: granularity, minimum, maximum, offset and length. */
    private ResourceTemplate addressSpace(
            int tag, int width, int type, int use, int flags, AddressRange range) {
        little(tag, 1);
        little(3 + 5 * width, 2);
        little(type, 1);
        little(FIXED | use, 1);
        little(flags, 1);
        little(0, width);
        little(range.base(), width);
        little(range.last(), width);
        little(0, width);
        return little(range.size(), width);
    }

    private static void checkPorts(AddressRange ports) {
        if (ports.end() > 0x10000) {
            throw new IllegalArgumentException("there are no ports " + ports);
        }
    }

    private ResourceTemplate little(long value, int width) {
        for (int i = 0; i < width; i++) {
            out.write((int) (value >>> 8 * i));
        }
        return this;
    }
}
