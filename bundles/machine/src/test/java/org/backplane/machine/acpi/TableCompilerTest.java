package org.backplane.machine.acpi;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.backplane.bus.AddressRange;
import org.backplane.machine.acpi.AcpiDescription.Chip;
import org.backplane.machine.acpi.AcpiDescription.Pci;
import org.backplane.machine.acpi.AcpiDescription.RootPort;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What the compiler and the interpreter of ACPI's reference implementation say of the tables. */
class TableCompilerTest {
    /** Creator and its revision, which are the compiler's in what it wrote. */
    private static final int CREATOR = 28;

    private static final int CREATOR_BYTES = 8;
    private static final int CHECKSUM = 9;

    @TempDir Path folder;

    @BeforeEach
    void thereIsACompiler() {
        for (String program : List.of("iasl", "acpiexec")) {
            assumeTrue(
                    Stream.of(System.getenv("PATH").split(":"))
                            .anyMatch(each -> Files.isExecutable(Path.of(each, program))),
                    "skipped: no '%s' on this machine (Debian package acpica-tools)"
                            .formatted(program));
        }
    }

    private static Stream<Arguments> tables() {
        return Stream.of(Boards.with(2), Boards.with(300), unusual())
                .map(TableCompilerTest::parsed)
                .flatMap(
                        parsed ->
                                parsed.tables.keySet().stream()
                                        .map(name -> Arguments.of(name, parsed.bytes(name))));
    }

    private static ParsedTables parsed(AcpiDescription board) {
        return new ParsedTables(AcpiTables.build(board, Boards.BASE));
    }

    /** Every kind of resource that a chip can have, and a host bridge with little. */
    private static AcpiDescription unusual() {
        return new AcpiDescription(
                1,
                0xfee0_0000L,
                0xfec0_0000L,
                new Pci(
                        0x8000_0000L,
                        2,
                        new AddressRange(0x1000, 0x1000),
                        new AddressRange(0x9000_0000L, 0x1000_0000L),
                        null,
                        (device, pin) -> 23,
                        List.of()),
                Boards.with(1).powerManagement(),
                List.of(
                        new Chip(
                                "wide0",
                                "BKPL0001",
                                List.of(new AddressRange(0x800, 0x200)),
                                List.of(
                                        new AddressRange(0xfe00_0000L, 0x1000),
                                        new AddressRange(0x10_0000_0000L, 0x1000)),
                                List.of(5, 20, 21))),
                List.of());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("tables")
    void tableComesBackFromItsSource(String signature, byte[] table) throws Exception {
        Path source = disassembled(signature, table);
        String said = run("iasl", "-p", folder.resolve("again").toString(), source.toString());
        assertTrue(said.contains("0 Errors, 0 Warnings, 0 Remarks"), said);
        byte[] again = Files.readAllBytes(folder.resolve("again.aml"));
        assertArrayEquals(withoutCreator(signature, table), withoutCreator(signature, again));
    }

    private static byte[] withoutCreator(String signature, byte[] table) {
        byte[] rest = table.clone();
        if (!signature.equals("FACS")) {
            Arrays.fill(rest, CREATOR, CREATOR + CREATOR_BYTES, (byte) 0);
            rest[CHECKSUM] = 0;
        }
        return rest;
    }

    @Test
    void definitionBlockReadsAsMeant() throws Exception {
        Pci pci = Boards.pci();
        var onePort =
                new Pci(
                        pci.ecamBase(),
                        pci.buses(),
                        pci.io(),
                        pci.memory32(),
                        pci.memory64(),
                        pci.pins(),
                        List.of(new RootPort(0x13, 4)));
        byte[] dsdt = parsed(Boards.withPci(onePort)).bytes("DSDT");
        assertEquals(golden("dsdt.dsl"), essence(Files.readString(disassembled("DSDT", dsdt))));
    }

    private static String golden(String name) throws IOException {
        try (var text = TableCompilerTest.class.getResourceAsStream(name)) {
            return new String(text.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** Without comments, which differ between versions; a resource, or a route, on one line. */
    private static String essence(String source) {
        return source.replaceAll("(?s)/\\*.*?\\*/", "")
                .replaceAll("//[^\\n]*", "")
                .replaceAll(
                        "Package \\(0x04\\)\\s*\\{\\s*(\\w+),\\s*(\\w+),\\s*(\\w+),\\s*(\\w+)\\s*\\}",
                        "{$1, $2, $3, $4}")
                .replaceAll(",[ ,]*\\n\\s*(?=[0-9,)])", ", ")
                .replaceAll(" *(, *)+(?=[,)])", "")
                .replaceAll(" +\\)", ")")
                .replaceAll("\\s*\\n\\s*\\{(\\d+)\\}", " {$1}")
                .replaceAll("\\s*\\n+( *)(?=\\S)", "\n$1")
                .strip()
                .concat("\n");
    }

    @Test
    void interpreterLoadsTheTablesWithoutAComplaint() throws Exception {
        ParsedTables tables = parsed(Boards.with(2));
        String said = acpiexec(tables, "tables");
        assertTrue(said.contains("1 ACPI AML tables successfully acquired and loaded"), said);
        assertTrue(!said.contains("Error") && !said.contains("Warning"), said);
    }

    @Test
    void kernelGetsHotPlugPowerEventsAndTheCapabilityOnly() throws Exception {
        String said = hostBridgeControl("5B 4D DB 33 F7 1F 1C 40 96 57 74 41 C0 3D D7 66", 1, 0x1f);
        assertTrue(said.contains("10 00 00 00 1F 00 00 00 15 00 00 00"), said);
        said = hostBridgeControl("5B 4D DB 33 F7 1F 1C 40 96 57 74 41 C0 3D D7 66", 1, 0x15);
        assertTrue(said.contains("00 00 00 00 1F 00 00 00 15 00 00 00"), said);
    }

    @Test
    void kernelIsToldOfAnUnknownRevisionAndInterface() throws Exception {
        String said = hostBridgeControl("5B 4D DB 33 F7 1F 1C 40 96 57 74 41 C0 3D D7 66", 2, 1);
        assertTrue(said.contains("08 00 00 00 1F 00 00 00 01 00 00 00"), said);
        said = hostBridgeControl("00 4D DB 33 F7 1F 1C 40 96 57 74 41 C0 3D D7 66", 1, 1);
        assertTrue(said.contains("04 00 00 00 1F 00 00 00 01 00 00 00"), said);
    }

    private String hostBridgeControl(String uuid, int revision, int asked) throws Exception {
        return acpiexec(
                parsed(Boards.with(1)),
                "execute \\_SB.PCI0._OSC (%s) %d 3 (00 00 00 00 1F 00 00 00 %02X 00 00 00)"
                        .formatted(uuid, revision, asked));
    }

    private String acpiexec(ParsedTables tables, String command) throws Exception {
        return run(
                "acpiexec",
                "-b",
                command,
                Files.write(folder.resolve("FACP.dat"), tables.bytes("FACP")).toString(),
                Files.write(folder.resolve("APIC.dat"), tables.bytes("APIC")).toString(),
                Files.write(folder.resolve("DSDT.dat"), tables.bytes("DSDT")).toString());
    }

    private Path disassembled(String signature, byte[] table) throws Exception {
        Path file = Files.write(folder.resolve(signature + ".dat"), table);
        String said =
                run("iasl", "-p", folder.resolve(signature).toString(), "-d", file.toString());
        assertTrue(!said.contains("Error") && !said.contains("Warning"), said);
        return folder.resolve(signature + ".dsl");
    }

    private static String run(String... command) throws IOException, InterruptedException {
        Process program = new ProcessBuilder(command).redirectErrorStream(true).start();
        program.getOutputStream().close();
        String said = new String(program.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, program.waitFor(), said);
        return said;
    }
}
