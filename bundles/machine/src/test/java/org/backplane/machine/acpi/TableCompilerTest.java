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
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the compiler of ACPI's reference implementation says of the tables. */
class TableCompilerTest {
    /** Creator and its revision, which are the compiler's in what it wrote. */
    private static final int CREATOR = 28;

    private static final int CREATOR_BYTES = 8;
    private static final int CHECKSUM = 9;

    @TempDir Path folder;

    private final ParsedTables tables = new ParsedTables(AcpiTables.build(Boards.with(2), 0xe0000));

    @BeforeEach
    void thereIsACompiler() {
        assumeTrue(
                Stream.of(System.getenv("PATH").split(":"))
                        .anyMatch(each -> Files.isExecutable(Path.of(each, "iasl"))),
                "skipped: no 'iasl' on this machine (Debian package acpica-tools)");
    }

    private static Stream<String> signatures() {
        return Stream.of("DSDT", "FACP", "FACS", "APIC", "MCFG", "SPCR", "XSDT");
    }

    @ParameterizedTest
    @MethodSource("signatures")
    void tableComesBackFromItsSource(String signature) throws Exception {
        byte[] table = tables.bytes(signature);
        Path source = disassembled(signature, table);
        String said = iasl("-p", folder.resolve("again").toString(), source.toString());
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

    private Path disassembled(String signature, byte[] table) throws Exception {
        Path file = Files.write(folder.resolve(signature + ".dat"), table);
        String said = iasl("-p", folder.resolve(signature).toString(), "-d", file.toString());
        assertTrue(!said.contains("Error") && !said.contains("Warning"), said);
        return folder.resolve(signature + ".dsl");
    }

    private String iasl(String... arguments) throws IOException, InterruptedException {
        var command = Stream.concat(Stream.of("iasl"), Stream.of(arguments)).toList();
        Process iasl = new ProcessBuilder(command).redirectErrorStream(true).start();
        iasl.getOutputStream().close();
        String said = new String(iasl.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, iasl.waitFor(), said);
        return said;
    }
}
