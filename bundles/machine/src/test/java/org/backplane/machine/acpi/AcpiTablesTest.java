package org.backplane.machine.acpi;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import org.backplane.bus.AddressRange;
import org.backplane.machine.acpi.AcpiDescription.Chip;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AcpiTablesTest {
    private static final int FIRMWARE_CTRL = 36;
    private static final int SCI_INT = 46;
    private static final int SMI_CMD = 48;
    private static final int PM1A_EVT = 56;
    private static final int PM1A_CNT = 64;
    private static final int PM_TMR = 76;
    private static final int CENTURY = 108;
    private static final int BOOT_ARCH = 109;
    private static final int FLAGS = 112;
    private static final int RESET_REG = 116;
    private static final int X_FIRMWARE_CTRL = 132;
    private static final int X_DSDT = 140;
    private static final int X_PM1A_EVT = 148;

    private final ParsedTables tables = parsed(Boards.with(2));

    private static ParsedTables parsed(AcpiDescription board) {
        return new ParsedTables(AcpiTables.build(board, Boards.BASE));
    }

    @ParameterizedTest
    @CsvSource({"1, 0xe0000", "2, 0xf0000", "32, 0xe0040", "255, 0xe0000", "300, 0x7ff00000"})
    void everyTableIsFoundFromTheRootAndAddsUpToZero(int processors, String base) {
        var built = AcpiTables.build(Boards.with(processors), Long.decode(base));
        var found = new ParsedTables(built);
        assertEquals("RSD PTR ", ParsedTables.text(found.block, 0, 8));
        assertEquals(0, ParsedTables.sum(found.block, 20));
        assertEquals(0, ParsedTables.sum(found.block, 36));
        assertEquals(
                Set.of("XSDT", "FACP", "FACS", "DSDT", "APIC", "MCFG", "SPCR"),
                found.tables.keySet());
        found.tables.forEach(
                (name, table) -> {
                    if (!name.equals("FACS")) {
                        assertEquals(0, ParsedTables.sum(table, table.capacity()), name);
                        assertEquals("BACKPL", ParsedTables.text(table, 10, 6));
                    }
                });
    }

    @Test
    void tablesAreAlignedAndApart() {
        var ranges = new TreeMap<Long, Long>();
        ByteBuffer xsdt = tables.table("XSDT");
        ranges.put(tables.base, tables.base + 36);
        add(ranges, tables.block.getLong(24));
        for (int entry = 36; entry < xsdt.capacity(); entry += 8) {
            add(ranges, xsdt.getLong(entry));
        }
        add(ranges, tables.table("FACP").getInt(FIRMWARE_CTRL));
        add(ranges, tables.table("FACP").getLong(X_DSDT));
        assertEquals(8, ranges.size());
        long end = 0;
        for (var range : ranges.entrySet()) {
            assertEquals(0, range.getKey() % 64);
            assertTrue(range.getKey() >= end);
            end = range.getValue();
        }
        assertTrue(end <= tables.base + tables.block.capacity());
    }

    private void add(TreeMap<Long, Long> ranges, long address) {
        ranges.put(address, address + tables.at(address).capacity());
    }

    @Test
    void manyProcessorsFitBelowOneMebibyte() {
        byte[] block = AcpiTables.build(Boards.with(254), Boards.BASE).bytes();
        assertTrue(Boards.BASE + block.length <= 0x10_0000);
    }

    @Test
    void dependOnNothingButTheDescription() {
        assertArrayEquals(
                AcpiTables.build(Boards.with(3), Boards.BASE).bytes(),
                AcpiTables.build(Boards.with(3), Boards.BASE).bytes());
    }

    @ParameterizedTest
    @ValueSource(longs = {0xe_0010L, -64, 0xffff_ffc0L, 1L << 32})
    void refusesPlacesWhereTablesCannotBe(long base) {
        assertThrows(IllegalArgumentException.class, () -> AcpiTables.build(Boards.with(1), base));
    }

    @Test
    void fixedHardwareIsAlwaysInAcpiMode() {
        ByteBuffer fadt = tables.table("FACP");
        assertEquals(276, fadt.capacity());
        assertEquals(9, fadt.getShort(SCI_INT));
        assertEquals(0, fadt.getInt(SMI_CMD));
        assertEquals(0x600, fadt.getInt(PM1A_EVT));
        assertEquals(0x604, fadt.getInt(PM1A_CNT));
        assertEquals(0x608, fadt.getInt(PM_TMR));
        assertEquals(0x600, fadt.getLong(X_PM1A_EVT + 4));
        assertEquals(0x60c, fadt.getLong(RESET_REG + 4));
        assertEquals(0, fadt.getLong(X_FIRMWARE_CTRL));
        assertEquals(0, fadt.getInt(FLAGS) & 1 << 20, "not hardware-reduced");
        assertEquals(0, fadt.getInt(FLAGS) & 1 << 4, "the power button is fixed hardware");
        assertEquals(1 << 8, fadt.getInt(FLAGS) & 1 << 8, "the timer has 32 bits");
        assertEquals(1 << 10, fadt.getInt(FLAGS) & 1 << 10, "the reset register is there");
    }

    @Test
    void bootFlagsFollowTheChips() {
        ByteBuffer fadt = tables.table("FACP");
        assertEquals(0b0111, fadt.getShort(BOOT_ARCH));
        assertEquals(0x32, fadt.get(CENTURY));
        ByteBuffer bare = parsed(Boards.withChips(List.of())).table("FACP");
        assertEquals(0b10_0101, bare.getShort(BOOT_ARCH));
        assertEquals(0, bare.get(CENTURY));
    }

    @Test
    void consoleFollowsTheUart() {
        ByteBuffer spcr = tables.table("SPCR");
        assertEquals(80, spcr.capacity());
        assertEquals(0x3f8, spcr.getLong(44));
        assertEquals(4, spcr.getInt(54));
        assertFalse(parsed(Boards.withChips(List.of())).tables.containsKey("SPCR"));
        var memoryMapped =
                new Chip(
                        "uart0",
                        "PNP0501",
                        List.of(),
                        List.of(new AddressRange(0xfe00_0000L, 8)),
                        List.of(20));
        assertFalse(parsed(Boards.withChips(List.of(memoryMapped))).tables.containsKey("SPCR"));
    }

    @Test
    void everyProcessorHasItsLocalApic() {
        List<ByteBuffer> processors = parsed(Boards.with(32)).controllers(0);
        assertEquals(32, processors.size());
        for (int n = 0; n < 32; n++) {
            assertEquals(n, processors.get(n).get(0));
            assertEquals(n, processors.get(n).get(1));
            assertEquals(1, processors.get(n).getInt(2));
        }
    }

    @Test
    void identitiesOfMoreThanEightBitsHaveX2ApicEntries() {
        ParsedTables many = parsed(Boards.with(300));
        assertEquals(255, many.controllers(0).size());
        List<ByteBuffer> wide = many.controllers(9);
        assertEquals(45, wide.size());
        assertEquals(255, wide.get(0).getInt(2));
        assertEquals(299, wide.get(44).getInt(2));
        assertEquals(299, wide.get(44).getInt(10));
        assertEquals(1, many.controllers(10).size());
    }

    @Test
    void timerAndSciAreNotWiredAsOnAnIsaBus() {
        List<ByteBuffer> overrides = tables.controllers(2);
        assertEquals(2, overrides.size());
        ByteBuffer timer = overrides.get(0);
        assertEquals(0, timer.get(1));
        assertEquals(2, timer.getInt(2));
        assertEquals(0, timer.getShort(6), "as the bus: edge-triggered, active high");
        ByteBuffer sci = overrides.get(1);
        assertEquals(9, sci.get(1));
        assertEquals(9, sci.getInt(2));
        assertEquals(0b1101, sci.getShort(6), "level-triggered, active high");
        assertEquals(0xfec0_0000, tables.controllers(1).get(0).getInt(2));
    }

    @Test
    void extendedConfigurationSpaceIsTold() {
        ByteBuffer mcfg = tables.table("MCFG");
        assertEquals(60, mcfg.capacity());
        assertEquals(0xc000_0000L, mcfg.getLong(44));
        assertEquals(0, mcfg.get(54));
        assertEquals((byte) 255, mcfg.get(55));
    }

    @Test
    void refusesADeviceWithoutAProperIdentity() {
        var refused =
                assertThrows(
                        IllegalArgumentException.class,
                        () -> new Chip("x0", "vendor,x", List.of(), List.of(), List.of()));
        assertTrue(refused.getMessage().contains("'vendor,x'"), refused.getMessage());
    }
}
