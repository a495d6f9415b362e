package org.backplane.machine.acpi;

import java.util.Optional;
import org.backplane.bus.AddressRange;
import org.backplane.machine.acpi.AcpiDescription.Chip;
import org.backplane.machine.acpi.AcpiDescription.PowerManagement;

/** The tables that are plain fields (ACPI 6.5, section 5.2). */
final class FixedTables {
    static final String UART = "PNP0501";
    static final String CLOCK = "PNP0B00";
    static final String KEYBOARD = "PNP0303";

    /** FADT feature flags (section 5.2.9, table 5.10). */
    private static final class Feature {
        static final int WBINVD = 1;
        static final int PROC_C1 = 1 << 2;

        /** There is no sleep button in the fixed registers. */
        static final int SLP_BUTTON = 1 << 5;

        /** The clock's alarm has no bit in the fixed registers. */
        static final int FIX_RTC = 1 << 6;

        /** The timer has 32 bits, not 24. */
        static final int TMR_VAL_EXT = 1 << 8;

        static final int RESET_REG_SUP = 1 << 10;

        private Feature() {}
    }

    /** IA-PC boot architecture flags (section 5.2.9.3). */
    private static final class BootArchitecture {
        static final int LEGACY_DEVICES = 1;
        static final int KEYBOARD_CONTROLLER = 1 << 1;
        static final int NO_VGA = 1 << 2;
        static final int NO_CMOS_CLOCK = 1 << 5;

        private BootArchitecture() {}
    }

    private static final int FADT_REVISION = 6;
    private static final int FADT_MINOR = 5;

    /** Slower than these, states C2 and C3 do not exist (section 5.2.9). */
    private static final int NO_C2 = 0xffff;

    private static final int NO_C3 = 0xffff;

    /** Where clocks with a century keep it; the clock's second index is 0x32. */
    private static final int CENTURY = 0x32;

    private static final int MADT_REVISION = 5;
    private static final int PCAT_COMPAT = 1;
    private static final int LOCAL_APIC = 0;
    private static final int IO_APIC = 1;
    private static final int SOURCE_OVERRIDE = 2;
    private static final int LOCAL_APIC_NMI = 4;
    private static final int LOCAL_X2APIC = 9;
    private static final int LOCAL_X2APIC_NMI = 10;
    private static final int ENABLED = 1;
    private static final int CONFORMS = 0;
    private static final int LEVEL_ACTIVE_HIGH = 3 << 2 | 1;
    private static final int ISA_TIMER = 0;
    private static final int TIMER_INPUT = 2;
    private static final int NMI_PIN = 1;
    private static final int ALL_PROCESSORS = 0xff;

    /** Identities from here have only an x2APIC entry (section 5.2.12.12). */
    private static final int FIRST_X2APIC_ONLY = 0xff;

    private static final int SPCR_16550 = 0;
    private static final int SPCR_8259A = 1;
    private static final int SPCR_IO_APIC = 1 << 1;
    private static final int SPCR_115200 = 7;
    private static final int SPCR_ONE_STOP_BIT = 1;
    private static final int SPCR_NO_PCI = 0xffff;

    private FixedTables() {}

    /** Root of the others (section 5.2.8). */
    static byte[] xsdt(long... tables) {
        var table = new DescriptionTable("XSDT", 1);
        for (long each : tables) {
            table.u64(each);
        }
        return table.build();
    }

    /**
     * Fixed hardware, always in ACPI mode: there is no SMI command port (section 5.2.9). The
     * address of the FACS is in the 32-bit field alone, because kernels take both fields for two
     * tables.
     */
    static byte[] fadt(AcpiDescription board, long facs, long dsdt) {
        PowerManagement pm = board.powerManagement();
        boolean clock = chip(board, CLOCK).isPresent();
        var table = new DescriptionTable("FACP", FADT_REVISION);
        table.u32(facs).u32(dsdt).u8(0);
        // Preferred profile: unspecified.
        table.u8(0).u16(pm.sci());
        // SMI_CMD, ACPI_ENABLE, ACPI_DISABLE, S4BIOS_REQ, PSTATE_CNT.
        table.u32(0).zeros(4);
        table.u32(pm.eventBlock().base()).u32(0);
        table.u32(pm.controlBlock().base()).u32(0).u32(0);
        table.u32(pm.timer().base()).u32(0).u32(0);
        table.u8((int) pm.eventBlock().size()).u8((int) pm.controlBlock().size()).u8(0);
        table.u8((int) pm.timer().size()).u8(0).u8(0).u8(0).u8(0);
        table.u16(NO_C2).u16(NO_C3);
        // FLUSH_SIZE, FLUSH_STRIDE, DUTY_OFFSET, DUTY_WIDTH, DAY_ALRM, MON_ALRM.
        table.u16(0).u16(0).zeros(4);
        table.u8(clock ? CENTURY : 0);
        table.u16(bootArchitecture(board, clock)).u8(0);
        table.u32(
                Feature.WBINVD
                        | Feature.PROC_C1
                        | Feature.SLP_BUTTON
                        | Feature.FIX_RTC
                        | Feature.TMR_VAL_EXT
                        | Feature.RESET_REG_SUP);
        table.port(pm.reset().base(), 8, 1).u8(PowerManagement.RESET_VALUE);
        table.u16(0).u8(FADT_MINOR);
        table.u64(0).u64(dsdt);
        block(table, pm.eventBlock(), 2);
        none(table);
        block(table, pm.controlBlock(), 2);
        none(table);
        none(table);
        block(table, pm.timer(), 3);
        none(table);
        none(table);
        // Sleep control and status belong to hardware-reduced boards.
        none(table);
        none(table);
        // Hypervisor vendor identity.
        table.u64(0);
        return table.build();
    }

    private static int bootArchitecture(AcpiDescription board, boolean clock) {
        int flags = BootArchitecture.LEGACY_DEVICES | BootArchitecture.NO_VGA;
        if (chip(board, KEYBOARD).isPresent()) {
            flags |= BootArchitecture.KEYBOARD_CONTROLLER;
        }
        return clock ? flags : flags | BootArchitecture.NO_CMOS_CLOCK;
    }

    private static void block(DescriptionTable table, AddressRange ports, int access) {
        table.port(ports.base(), (int) ports.size() * 8, access);
    }

    private static void none(DescriptionTable table) {
        table.zeros(12);
    }

    /** Interrupt controllers (section 5.2.12). */
    static byte[] madt(AcpiDescription board) {
        int sci = board.powerManagement().sci();
        var table = new DescriptionTable("APIC", MADT_REVISION);
        table.u32(board.localApicBase()).u32(PCAT_COMPAT);
        for (int processor = 0; processor < board.processors(); processor++) {
            if (processor < FIRST_X2APIC_ONLY) {
                table.u8(LOCAL_APIC).u8(8).u8(processor).u8(processor).u32(ENABLED);
            } else {
                table.u8(LOCAL_X2APIC).u8(16).u16(0).u32(processor).u32(ENABLED).u32(processor);
            }
        }
        table.u8(IO_APIC).u8(12).u8(0).u8(0).u32(board.ioApicBase()).u32(0);
        override(table, ISA_TIMER, TIMER_INPUT, CONFORMS);
        override(table, sci, sci, LEVEL_ACTIVE_HIGH);
        table.u8(LOCAL_APIC_NMI).u8(6).u8(ALL_PROCESSORS).u16(CONFORMS).u8(NMI_PIN);
        if (board.processors() > FIRST_X2APIC_ONLY) {
            table.u8(LOCAL_X2APIC_NMI).u8(12).u16(CONFORMS).u32(-1).u8(NMI_PIN).zeros(3);
        }
        return table.build();
    }

    /** An ISA interrupt that is not edge-triggered, active high, at the input of its own number. */
    private static void override(DescriptionTable table, int isa, int interrupt, int flags) {
        table.u8(SOURCE_OVERRIDE).u8(10).u8(0).u8(isa).u32(interrupt).u16(flags);
    }

    /** Extended configuration space (PCI Firmware Specification 3.3, section 4.1.2). */
    static byte[] mcfg(AcpiDescription.Pci pci) {
        return new DescriptionTable("MCFG", 1)
                .zeros(8)
                .u64(pci.ecamBase())
                .u16(0)
                .u8(0)
                .u8(pci.buses() - 1)
                .u32(0)
                .build();
    }

    /**
     * The first serial port in I/O space as the console (Microsoft's Serial Port Console
     * Redirection Table, revision 2): {@code earlycon} without an argument takes it.
     */
    static Optional<byte[]> spcr(AcpiDescription board) {
        return chip(board, UART)
                .filter(uart -> !uart.ports().isEmpty())
                .map(uart -> spcr(uart.ports().get(0).base(), isaInterrupt(uart)));
    }

    private static byte[] spcr(long port, Optional<Integer> interrupt) {
        return new DescriptionTable("SPCR", 2)
                .u8(SPCR_16550)
                .zeros(3)
                .port(port, 8, 1)
                .u8(interrupt.isPresent() ? SPCR_8259A | SPCR_IO_APIC : 0)
                .u8(interrupt.orElse(0))
                .u32(interrupt.orElse(0))
                .u8(SPCR_115200)
                .u8(0)
                .u8(SPCR_ONE_STOP_BIT)
                .u8(0)
                // Terminal type VT100, language.
                .u8(0)
                .u8(0)
                .u16(SPCR_NO_PCI)
                .u16(SPCR_NO_PCI)
                .zeros(3)
                .u32(0)
                .u8(0)
                .u32(0)
                .build();
    }

    private static Optional<Integer> isaInterrupt(Chip chip) {
        return chip.interrupts().stream().findFirst().filter(each -> each < 16);
    }

    private static Optional<Chip> chip(AcpiDescription board, String hardwareId) {
        return board.chips().stream()
                .filter(chip -> chip.hardwareId().equals(hardwareId))
                .findFirst();
    }
}
