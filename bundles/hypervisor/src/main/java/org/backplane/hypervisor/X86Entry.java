package org.backplane.hypervisor;

/**
 * The state in which an x86 processor begins, as far as a boot protocol fixes it: interrupts off,
 * segments flat, every general register that is not named zero. What is in memory (code, tables) is
 * the board's.
 */
public sealed interface X86Entry {
    /** Selector of the code segment in long and protected mode: entry 2 of a table. */
    int CODE_SELECTOR = 0x10;

    /** Selector of DS, ES and SS in long and protected mode: entry 3. */
    int DATA_SELECTOR = 0x18;

    /**
     * A descriptor table in guest memory. The processor begins with the segments said here,
     * whatever the table holds; it is for what the guest loads later.
     *
     * @param bytes 8 for each entry, at most 64 KiB; 0 if there is none
     */
    record Table(long base, int bytes) {
        public static final Table NONE = new Table(0, 0);

        public Table {
            if (bytes < 0 || bytes > 0x10000 || bytes % 8 != 0) {
                throw new IllegalArgumentException(bytes + " bytes are no descriptor table");
            }
        }
    }

    /**
     * 64-bit mode with paging on (Linux x86 boot protocol, "64-bit boot protocol").
     *
     * @param rsi Linux: address of the zero page
     * @param rsp stack
     * @param pageTables guest address of a PML4 that maps what the code touches first
     */
    record LongMode(long rip, long rsi, long rsp, long pageTables, Table gdt) implements X86Entry {}

    /**
     * 32-bit protected mode without paging (PVH start: EBX has the start info; Multiboot 1: EAX has
     * the magic and EBX the information; Linux "32-bit boot protocol": ESI has the zero page).
     */
    record ProtectedMode(int eip, int eax, int ebx, int esi, int esp, Table gdt)
            implements X86Entry {}

    /**
     * Real-address mode; every data segment is the code segment.
     *
     * @param segment its base is 16 times this; 0 to 0xffff
     * @param ip 0 to 0xffff
     * @param sp 0 to 0xffff
     */
    record RealMode(int segment, int ip, int sp) implements X86Entry {
        public RealMode {
            if ((segment | ip | sp) >>> 16 != 0) {
                throw new IllegalArgumentException(
                        "segment, ip and sp have 16 bits, not 0x%x, 0x%x, 0x%x"
                                .formatted(segment, ip, sp));
            }
        }
    }
}
