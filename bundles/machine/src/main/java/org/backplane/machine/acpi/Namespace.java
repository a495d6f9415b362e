package org.backplane.machine.acpi;

import java.util.ArrayList;
import java.util.List;
import org.backplane.bus.AddressRange;
import org.backplane.machine.acpi.AcpiDescription.Chip;
import org.backplane.machine.acpi.AcpiDescription.Pci;
import org.backplane.machine.acpi.AcpiDescription.PowerManagement;
import org.backplane.machine.acpi.AcpiDescription.RootPort;

/** The definition block of the DSDT: what is on the board and where (ACPI 6.5, chapter 6). */
final class Namespace {
    private static final AddressRange CONFIG_MECHANISM_1 = new AddressRange(0xcf8, 8);

    /** A pointing device at a keyboard controller, with an interrupt and no ports of its own. */
    private static final String AUXILIARY = "PNP0F13";

    private static final int PCI_PINS = 4;
    private static final int DEVICES = 32;

    /** Every function of a device (section 6.1.1). */
    private static final long ANY_FUNCTION = 0xffff;

    /** _OSC of a host bridge (PCI Firmware Specification 3.3, section 4.5). */
    private static final class HostBridgeControl {
        static final String UUID = "33db4d5b-1ff7-401c-9657-7441c03dd766";
        static final int REVISION = 1;

        /** Native hot-plug, power management events, the PCI Express capability. */
        static final int GRANTED = 1 | 1 << 2 | 1 << 4;

        static final int UNKNOWN_UUID = 1 << 2;
        static final int UNKNOWN_REVISION = 1 << 3;
        static final int MASKED = 1 << 4;

        private HostBridgeControl() {}
    }

    private Namespace() {}

    static Aml of(AcpiDescription board) {
        var devices = new ArrayList<Aml>();
        for (int processor = 0; processor < board.processors(); processor++) {
            devices.add(processor(processor));
        }
        devices.add(hostBridge(board.pci()));
        devices.add(boardResources(board));
        int number = 0;
        for (Chip chip : board.chips()) {
            if (!chip.hardwareId().isEmpty()) {
                add(devices, number++, chip);
            }
        }
        return Aml.of(
                Aml.scope("_SB", devices.toArray(Aml[]::new)),
                Aml.name(
                        "_S5",
                        Aml.packageOf(
                                Aml.integer(PowerManagement.SOFT_OFF),
                                Aml.integer(0),
                                Aml.integer(0),
                                Aml.integer(0))));
    }

    private static Aml processor(int number) {
        return Aml.device(
                "C%03X".formatted(number),
                Aml.name("_HID", Aml.hardwareId("ACPI0007")),
                Aml.name("_UID", Aml.integer(number)));
    }

    private static Aml hostBridge(Pci pci) {
        var resources =
                new ResourceTemplate()
                        .buses(pci.buses())
                        .ports(CONFIG_MECHANISM_1)
                        .portWindow(pci.io())
                        .memoryWindow(pci.memory32());
        if (pci.memory64() != null) {
            resources.memoryWindow(pci.memory64());
        }
        var terms = new ArrayList<Aml>();
        terms.add(Aml.name("_HID", Aml.hardwareId("PNP0A08")));
        terms.add(Aml.name("_CID", Aml.hardwareId("PNP0A03")));
        terms.add(Aml.name("_UID", Aml.integer(0)));
        terms.add(Aml.name("_SEG", Aml.integer(0)));
        terms.add(Aml.name("_BBN", Aml.integer(0)));
        terms.add(Aml.name("_CRS", resources.build()));
        terms.add(Aml.name("_PRT", pinsOfBus0(pci)));
        terms.add(hostBridgeControl());
        for (RootPort port : pci.ports()) {
            terms.add(rootPort(pci, port));
        }
        return Aml.device("PCI0", terms.toArray(Aml[]::new));
    }

    /** Hands to the kernel what it may control by itself, and masks what it may not. */
    private static Aml hostBridgeControl() {
        Aml status = Aml.path("CDW1");
        Aml control = Aml.path("CDW3");
        Aml granted = Aml.local(0);
        return Aml.serializedMethod(
                "_OSC",
                4,
                Aml.createDwordField(Aml.argument(3), 0, "CDW1"),
                Aml.when(
                        Aml.equal(Aml.argument(0), Aml.uuid(HostBridgeControl.UUID)),
                        Aml.createDwordField(Aml.argument(3), 8, "CDW3"),
                        Aml.and(control, Aml.integer(HostBridgeControl.GRANTED), granted),
                        Aml.when(
                                Aml.not(
                                        Aml.equal(
                                                Aml.argument(1),
                                                Aml.integer(HostBridgeControl.REVISION))),
                                Aml.or(
                                        status,
                                        Aml.integer(HostBridgeControl.UNKNOWN_REVISION),
                                        status)),
                        Aml.when(
                                Aml.not(Aml.equal(granted, control)),
                                Aml.or(status, Aml.integer(HostBridgeControl.MASKED), status)),
                        Aml.store(granted, control)),
                Aml.otherwise(Aml.or(status, Aml.integer(HostBridgeControl.UNKNOWN_UUID), status)),
                Aml.give(Aml.argument(3)));
    }

    private static Aml pinsOfBus0(Pci pci) {
        var routes = new ArrayList<Aml>();
        for (int device = 0; device < DEVICES; device++) {
            for (int pin = 1; pin <= PCI_PINS; pin++) {
                routes.add(route(device, pin, pci.pins().interrupt(device, pin)));
            }
        }
        return Aml.packageOf(routes.toArray(Aml[]::new));
    }

    /** A pin goes to a global system interrupt, with no link device between (section 6.2.13). */
    private static Aml route(int device, int pin, int interrupt) {
        return Aml.packageOf(
                Aml.integer((long) device << 16 | ANY_FUNCTION),
                Aml.integer(pin - 1),
                Aml.integer(0),
                Aml.integer(interrupt));
    }

    /**
     * The slot's number belongs to the device that sits in the slot, which is device 0 behind the
     * port: under the port itself it would number the port's own place on bus 0.
     */
    private static Aml rootPort(Pci pci, RootPort port) {
        var routes = new ArrayList<Aml>();
        for (int pin = 1; pin <= PCI_PINS; pin++) {
            routes.add(route(0, pin, pci.pins().interrupt(port.device(), pin)));
        }
        return Aml.device(
                "RP%02X".formatted(port.device()),
                Aml.name("_ADR", Aml.integer((long) port.device() << 16)),
                Aml.name("_PRT", Aml.packageOf(routes.toArray(Aml[]::new))),
                Aml.device(
                        "SLOT",
                        Aml.name("_ADR", Aml.integer(0)),
                        Aml.name("_SUN", Aml.integer(port.slot()))));
    }

    /**
     * Addresses where kernels must place nothing: extended configuration space, which they refuse
     * to use unless it is reserved so, what the board keeps, and chips that have no name.
     */
    private static Aml boardResources(AcpiDescription board) {
        var resources = new ResourceTemplate().memory(board.pci().ecam());
        board.reserved().forEach(resources::memory);
        for (Chip chip : board.chips()) {
            if (chip.hardwareId().isEmpty()) {
                addresses(resources, chip);
            }
        }
        return Aml.device(
                "MBRS",
                Aml.name("_HID", Aml.hardwareId("PNP0C02")),
                Aml.name("_UID", Aml.integer(0)),
                Aml.name("_CRS", resources.build()));
    }

    /** What one chip is to kernels: one device, or the two that a keyboard controller has. */
    private static void add(List<Aml> devices, int number, Chip chip) {
        var resources = new ResourceTemplate();
        addresses(resources, chip);
        boolean keyboard = chip.hardwareId().equals(FixedTables.KEYBOARD);
        int own = keyboard ? Math.min(1, chip.interrupts().size()) : chip.interrupts().size();
        chip.interrupts().subList(0, own).forEach(resources::interrupt);
        devices.add(device("D%03X".formatted(number), chip.hardwareId(), chip, resources));
        if (keyboard && chip.interrupts().size() > 1) {
            var second = new ResourceTemplate().interrupt(chip.interrupts().get(1));
            devices.add(device("A%03X".formatted(number), AUXILIARY, chip, second));
        }
    }

    private static Aml device(String name, String id, Chip chip, ResourceTemplate resources) {
        return Aml.device(
                name,
                Aml.name("_HID", Aml.hardwareId(id)),
                Aml.name("_UID", Aml.string(chip.slot())),
                Aml.name("_CRS", resources.build()));
    }

    private static void addresses(ResourceTemplate resources, Chip chip) {
        chip.ports().forEach(resources::ports);
        chip.memory().forEach(resources::memory);
    }
}
