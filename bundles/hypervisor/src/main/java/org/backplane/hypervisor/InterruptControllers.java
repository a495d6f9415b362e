package org.backplane.hypervisor;

/** The interrupt controllers that a board has, one kind an architecture. */
public sealed interface InterruptControllers {
    /**
     * RISC-V Advanced Interrupt Architecture: one supervisor-level interrupt file a hart, and one
     * supervisor-level APLIC in MSI delivery mode, its MSI address configuration as machine-mode
     * firmware would have left it (AIA 1.0, chapters 3 and 4).
     *
     * @param imsicBase guest address of hart 0's interrupt file; the others follow at 4 KiB
     * @param identities highest interrupt identity of each file, 64n - 1, at most 2,047
     * @param aplicBase guest address of the APLIC's registers, 4 KiB aligned
     * @param aplicSize in bytes: 0x4000 and 32 bytes a hart, rounded up to 4 KiB
     * @param sources highest wired source number, 1 to 1,023
     * @param timebaseFrequency of the {@code time} CSR, in Hz
     */
    record RiscvAia(
            long imsicBase,
            int identities,
            long aplicBase,
            long aplicSize,
            int sources,
            long timebaseFrequency)
            implements InterruptControllers {}

    /**
     * A PC's: two cascaded 8259A at I/O ports 0x20 and 0xa0, one I/O APIC with 24 inputs, a local
     * APIC a processor whose identity is the processor's number, and what drives input 2 of the I/O
     * APIC: an 8254 timer at I/O ports 0x40 to 0x43, its gate and output at 0x61. Lines are global
     * system interrupts, 0 to 23; messages are stores to 0xfeex_xxxx (Intel SDM, volume 3, section
     * 11.11).
     *
     * @param ioApicBase guest address of the I/O APIC's registers, 4 KiB
     * @param localApicBase guest address where each processor finds its local APIC, 4 KiB
     * @param engineBase guest address of 16 KiB below 4 GiB where the board puts nothing: some
     *     processors need them to execute code without paging
     */
    record X86(long ioApicBase, long localApicBase, long engineBase)
            implements InterruptControllers {}

    /** None: the processors, and what delivers interrupts to them, are another process's. */
    record Elsewhere() implements InterruptControllers {}
}
