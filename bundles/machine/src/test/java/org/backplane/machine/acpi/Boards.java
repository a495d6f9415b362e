package org.backplane.machine.acpi;

import java.util.List;
import java.util.stream.IntStream;
import org.backplane.bus.AddressRange;
import org.backplane.machine.acpi.AcpiDescription.Chip;
import org.backplane.machine.acpi.AcpiDescription.Pci;
import org.backplane.machine.acpi.AcpiDescription.PowerManagement;
import org.backplane.machine.acpi.AcpiDescription.RootPort;

/** Descriptions of boards for tests. */
final class Boards {
    static final long BASE = 0xe_0000;

    private Boards() {}

    static AcpiDescription with(int processors) {
        return new AcpiDescription(
                processors, 0xfee0_0000L, 0xfec0_0000L, pci(), power(), chips(), reserved());
    }

    static AcpiDescription withChips(List<Chip> chips) {
        return new AcpiDescription(
                1, 0xfee0_0000L, 0xfec0_0000L, pci(), power(), chips, reserved());
    }

    static AcpiDescription withPci(Pci pci) {
        return new AcpiDescription(
                1, 0xfee0_0000L, 0xfec0_0000L, pci, power(), chips(), reserved());
    }

    static Pci pci() {
        return new Pci(
                0xc000_0000L,
                256,
                new AddressRange(0x1000, 0xf000),
                new AddressRange(0xd000_0000L, 0x2c00_0000L),
                new AddressRange(0x80_0000_0000L, 0x80_0000_0000L),
                Boards::interrupt,
                IntStream.rangeClosed(1, 8)
                        .mapToObj(slot -> new RootPort(0xf + slot, slot))
                        .toList());
    }

    static int interrupt(int device, int pin) {
        return 16 + (device + pin - 1) % 8;
    }

    private static PowerManagement power() {
        return new PowerManagement(
                new AddressRange(0x600, 4),
                new AddressRange(0x604, 2),
                new AddressRange(0x608, 4),
                new AddressRange(0x60c, 1),
                9);
    }

    static List<Chip> chips() {
        return List.of(
                new Chip("uart0", "PNP0501", ports(0x3f8, 8), List.of(), List.of(4)),
                new Chip("rtc0", "PNP0B00", ports(0x70, 2), List.of(), List.of(8)),
                new Chip(
                        "keyboard0",
                        "PNP0303",
                        List.of(new AddressRange(0x60, 1), new AddressRange(0x64, 1)),
                        List.of(),
                        List.of(1, 12)),
                new Chip("exit0", "", ports(0xf4, 4), List.of(), List.of()));
    }

    private static List<AddressRange> ports(long base, long size) {
        return List.of(new AddressRange(base, size));
    }

    private static List<AddressRange> reserved() {
        return List.of(new AddressRange(0xfffb_c000L, 0x4000));
    }
}
