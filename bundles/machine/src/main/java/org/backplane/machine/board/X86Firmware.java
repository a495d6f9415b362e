package org.backplane.machine.board;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Space;
import org.backplane.machine.acpi.AcpiDescription;
import org.backplane.machine.acpi.AcpiDescription.Chip;
import org.backplane.machine.acpi.AcpiDescription.PowerManagement;
import org.backplane.machine.acpi.AcpiTables;
import org.backplane.pci.RootPort;

/** What firmware tells a kernel of the x86-64 board. */
final class X86Firmware {
    /**
     * The device whose regions and line are ACPI's fixed hardware, by what it is compatible with.
     */
    static final String FIXED_HARDWARE = "acpi-pm";

    private static final int EVENT_BLOCK = 0;
    private static final int CONTROL_BLOCK = 1;
    private static final int TIMER = 2;
    private static final int RESET = 3;

    private X86Firmware() {}

    /**
     * The tables, for their place in the map; empty on a board without the fixed hardware, which
     * full ACPI needs.
     *
     * @param ports root ports on bus 0
     */
    static Optional<AcpiTables> tables(
            X86Map map, int processors, List<RootPort> ports, List<PlatformDevice> devices) {
        List<Chip> chips = new ArrayList<>();
        PowerManagement management = null;
        for (PlatformDevice device : devices) {
            if (device.node().compatible().contains(FIXED_HARDWARE)) {
                management = powerManagement(device);
            } else {
                chips.add(
                        new Chip(
                                device.slot(),
                                device.node().hardwareId(),
                                ranges(device, Space.IO),
                                ranges(device, Space.MMIO),
                                device.lines()));
            }
        }
        if (management == null) {
            return Optional.empty();
        }
        AcpiDescription description =
                new AcpiDescription(
                        processors,
                        X86Map.LOCAL_APIC.base(),
                        X86Map.IO_APIC.base(),
                        new AcpiDescription.Pci(
                                map.ecam().base(),
                                X86Map.BUSES,
                                X86Map.PCI_IO,
                                map.mmio32(),
                                map.window64(),
                                X86Map::pinSource,
                                ports.stream().map(X86Firmware::port).toList()),
                        management,
                        chips,
                        // Kernels know where the interrupt controllers are, and keep less of it.
                        List.of(X86Map.ENGINE));
        AcpiTables tables = AcpiTables.build(description, X86Map.ACPI.base());
        if (tables.bytes().length > X86Map.ACPI.size()) {
            throw new IllegalStateException(
                    "ACPI's tables of %d bytes have no room in %s"
                            .formatted(tables.bytes().length, X86Map.ACPI));
        }
        return Optional.of(tables);
    }

    private static AcpiDescription.RootPort port(RootPort port) {
        return new AcpiDescription.RootPort(port.device(), port.slotNumber());
    }

    private static List<AddressRange> ranges(PlatformDevice device, Space space) {
        return device.regions().stream()
                .filter(region -> region.space() == space)
                .map(PlatformDevice.Region::range)
                .toList();
    }

    private static PowerManagement powerManagement(PlatformDevice device) {
        List<AddressRange> ports = ranges(device, Space.IO);
        return new PowerManagement(
                ports.get(EVENT_BLOCK),
                ports.get(CONTROL_BLOCK),
                ports.get(TIMER),
                ports.get(RESET),
                device.lines().get(0));
    }
}
