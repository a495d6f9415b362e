package org.backplane.machine.acpi;

import java.util.List;
import org.backplane.bus.AddressRange;

/**
 * What the tables tell a kernel of an x86-64 board: plain values, from which {@link AcpiTables}
 * follow. Addresses are guest-physical, numbers of interrupts are global system interrupts.
 *
 * @param processors how many; processor n has the local APIC identity n
 * @param localApicBase where each processor finds its local APIC
 * @param ioApicBase where the registers of the one I/O APIC are, whose inputs are the interrupts
 *     from 0
 * @param pci the host bridge
 * @param powerManagement the fixed hardware
 * @param chips what is not on PCI and not fixed hardware, in the order in which it is told
 * @param reserved memory addresses that belong to the board itself
 */
public record AcpiDescription(
        int processors,
        long localApicBase,
        long ioApicBase,
        Pci pci,
        PowerManagement powerManagement,
        List<Chip> chips,
        List<AddressRange> reserved) {

    /**
     * A PCI host bridge with extended configuration access, segment group 0, buses from 0.
     *
     * @param ecamBase of bus 0, below 4 GiB: kernels do not use one above
     * @param buses how many there are, 2 to 256, 1 MiB of memory addresses each
     * @param io I/O ports that functions may get
     * @param memory32 memory addresses below 4 GiB that functions may get
     * @param memory64 memory addresses that functions may get, or null if there are no others
     * @param pins where the interrupt pins end
     * @param ports root ports on bus 0
     */
    public record Pci(
            long ecamBase,
            int buses,
            AddressRange io,
            AddressRange memory32,
            AddressRange memory64,
            PinRouting pins,
            List<RootPort> ports) {
        public Pci {
            if (buses < 2 || buses > 256) {
                throw new IllegalArgumentException(buses + " buses; 2 to 256 can be told");
            }
            ports = List.copyOf(ports);
        }

        AddressRange ecam() {
            return new AddressRange(ecamBase, (long) buses << 20);
        }
    }

    /** How interrupt pins are wired. */
    @FunctionalInterface
    public interface PinRouting {
        /**
         * The interrupt of a pin of the functions of a device on bus 0; behind a root port, the
         * interrupt of the pin of the one device there.
         *
         * @param device 0 to 31; behind a root port, the port's
         * @param pin 1 (INTA) to 4 (INTD)
         */
        int interrupt(int device, int pin);
    }

    /**
     * A root port with a slot.
     *
     * @param device number on bus 0, function 0
     * @param slot the number that a person reads on the slot, as in the port's slot capabilities
     */
    public record RootPort(int device, int slot) {
        public RootPort {
            if (device < 0 || device > 31 || slot < 0) {
                throw new IllegalArgumentException(
                        "no root port: device %d, slot %d".formatted(device, slot));
            }
        }
    }

    /**
     * The fixed hardware of ACPI in I/O space (ACPI 6.5, section 4.8).
     *
     * @param eventBlock PM1a status and enable registers, 4 ports
     * @param controlBlock PM1a control register, 2 ports
     * @param timer 4 ports, all of whose 32 bits count
     * @param reset one port: a write of {@link #RESET_VALUE} restarts the machine
     * @param sci system control interrupt, level-triggered, active high
     */
    public record PowerManagement(
            AddressRange eventBlock,
            AddressRange controlBlock,
            AddressRange timer,
            AddressRange reset,
            int sci) {
        /** SLP_TYP of soft off. */
        public static final int SOFT_OFF = 5;

        public static final int RESET_VALUE = 1;
    }

    /**
     * A device that kernels do not find by themselves.
     *
     * @param slot its name, unique
     * @param hardwareId PNP or ACPI identifier ({@code PNP0501}), or empty: then kernels are only
     *     told to keep off its addresses
     * @param ports of I/O space, in the order of the hardware's definition
     * @param memory likewise
     * @param interrupts those below 16 are edge-triggered, active high, as on an ISA bus; others
     *     level-triggered, active high, shared
     */
    public record Chip(
            String slot,
            String hardwareId,
            List<AddressRange> ports,
            List<AddressRange> memory,
            List<Integer> interrupts) {
        public Chip {
            if (!hardwareId.isEmpty()) {
                Aml.hardwareId(hardwareId);
            }
            ports = List.copyOf(ports);
            memory = List.copyOf(memory);
            interrupts = List.copyOf(interrupts);
        }
    }

    public AcpiDescription {
        if (processors < 1) {
            throw new IllegalArgumentException(processors + " processors");
        }
        chips = List.copyOf(chips);
        reserved = List.copyOf(reserved);
    }
}
