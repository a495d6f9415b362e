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
}
