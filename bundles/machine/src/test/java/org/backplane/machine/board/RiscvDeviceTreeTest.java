package org.backplane.machine.board;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Space;
import org.backplane.device.context.FirmwareNode;
import org.backplane.machine.MachineException;
import org.junit.jupiter.api.Test;

class RiscvDeviceTreeTest {
    private static final FirmwareNode UART =
            new FirmwareNode(
                    "serial",
                    List.of("ns16550a"),
                    Map.of("clock-frequency", 3_686_400),
                    List.of(
                            new FirmwareNode(
                                    "follower",
                                    List.of("x,follower"),
                                    Map.of("regmap", FirmwareNode.PARENT),
                                    List.of())));

    private final byte[] tree =
            RiscvDeviceTree.build(
                    2,
                    map(),
                    new RiscvDeviceTree.Chosen(
                            "console=ttyS0 quiet",
                            new AddressRange(0x9000_0000L, 4096),
                            new byte[64]),
                    List.of(
                            new PlatformDevice(
                                    "uart0",
                                    UART,
                                    List.of(
                                            new PlatformDevice.Region(
                                                    Space.IO, new AddressRange(0x3f8, 8)),
                                            new PlatformDevice.Region(
                                                    Space.MMIO, new AddressRange(0x1000_0000L, 8))),
                                    List.of(5))));

    private static RiscvMap map() {
        try {
            return RiscvMap.of(512 << 20, WindowSizes.OWN);
        } catch (MachineException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void headerDescribesItsBlocks() {
        ByteBuffer blob = ByteBuffer.wrap(tree);
        assertEquals(0xd00dfeed, blob.getInt(0));
        assertEquals(tree.length, blob.getInt(4));
        int structure = blob.getInt(8);
        int strings = blob.getInt(12);
        assertEquals(17, blob.getInt(20));
        assertEquals(strings - structure, blob.getInt(36));
        assertEquals(tree.length - strings, blob.getInt(32));
        assertEquals(9, blob.getInt(strings - 4), "the structure ends with FDT_END");
    }

    @Test
    void compilerReadsBackWhatWasWritten() throws Exception {
        assumeTrue(
                onPath("dtc"),
                "skipped: no 'dtc' on this machine (Debian package device-tree-compiler)");
        Process dtc =
                new ProcessBuilder("dtc", "-I", "dtb", "-O", "dts", "-q")
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        dtc.getOutputStream().write(tree);
        dtc.getOutputStream().close();
        String source =
                new String(dtc.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                        .replaceAll("\\s+", " ");
        assertEquals(0, dtc.waitFor());
        for (String expected :
                List.of(
                        "bootargs = \"console=ttyS0 quiet\"",
                        "stdout-path = \"/soc/serial@10000000\"",
                        "linux,initrd-end = <0x00 0x90001000>",
                        "cpu@1 {",
                        "interrupts-extended = <0x01 0x09 0x02 0x09>",
                        "serial@10000000 { compatible = \"ns16550a\"; reg = <0x00 0x10000000 0x00 0x08>; interrupts-extended = <0x101 0x05 0x04>",
                        "follower { compatible = \"x,follower\"; regmap = <0x200>",
                        "compatible = \"pci-host-ecam-generic\"",
                        "msi-parent = <0x100>")) {
            assertTrue(source.contains(expected), () -> expected + " is not in " + source);
        }
    }

    private static boolean onPath(String program) {
        for (String folder : System.getenv("PATH").split(":")) {
            if (java.nio.file.Files.isExecutable(java.nio.file.Path.of(folder, program))) {
                return true;
            }
        }
        return false;
    }
}
