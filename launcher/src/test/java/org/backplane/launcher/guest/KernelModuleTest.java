package org.backplane.launcher.guest;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

class KernelModuleTest {
    private static final byte[] MARK =
            "~Module signature appended~\n".getBytes(StandardCharsets.US_ASCII);

    @TempDir Path folder;

    /** As scripts/sign-file.c appends: signature, struct module_signature, mark. */
    private static byte[] signed(byte[] module, int signatureLength) {
        return ByteBuffer.allocate(module.length + signatureLength + 12 + MARK.length)
                .put(module)
                .put(new byte[signatureLength])
                .put(new byte[] {0, 0, 2, 0, 0, 0, 0, 0})
                .putInt(signatureLength)
                .put(MARK)
                .array();
    }

    @Test
    void stripsASignature() throws IOException {
        byte[] module = ElfBuilder.module("depends=");
        assertArrayEquals(module, KernelModule.withoutSignature(signed(module, 265)));
    }

    @Test
    void leavesAnUnsignedModule() throws IOException {
        byte[] module = ElfBuilder.module("depends=");
        assertSame(module, KernelModule.withoutSignature(module));
        byte[] almost = signed(module, 10);
        almost[almost.length - 1] = ' ';
        assertSame(almost, KernelModule.withoutSignature(almost));
    }

    @Test
    void refusesASignatureLongerThanTheModule() {
        byte[] signed = signed(new byte[16], 0);
        ByteBuffer.wrap(signed).putInt(signed.length - MARK.length - 4, 17);
        assertThrows(IOException.class, () -> KernelModule.withoutSignature(signed));
        ByteBuffer.wrap(signed).putInt(signed.length - MARK.length - 4, -1);
        assertThrows(IOException.class, () -> KernelModule.withoutSignature(signed));
    }

    @Test
    void readsACompressedSignedModule() throws IOException {
        byte[] module = ElfBuilder.module("license=GPL", "softdep=pre: crypto-x", "depends=a-b,c");
        ByteArrayOutputStream compressed = new ByteArrayOutputStream();
        try (XZOutputStream out = new XZOutputStream(compressed, new LZMA2Options(1))) {
            out.write(signed(module, 100));
        }
        Path file = Files.write(folder.resolve("my-mod.ko.xz"), compressed.toByteArray());
        KernelModule read = KernelModule.read(file);
        assertEquals("my_mod", read.name());
        assertArrayEquals(module, read.contents());
        assertEquals(List.of("crypto_x", "a_b", "c"), read.depends());
    }

    @Test
    void refusesWhatIsNoModule() throws IOException {
        Path text = Files.writeString(folder.resolve("x.ko"), "x".repeat(100));
        assertThrows(IOException.class, () -> KernelModule.read(text));
        Path other = Files.write(folder.resolve("x.ko.zst"), ElfBuilder.module("depends="));
        String refusal =
                assertThrows(IOException.class, () -> KernelModule.read(other)).getMessage();
        assertTrue(refusal.contains("compressed"), refusal);
        byte[] damaged = ElfBuilder.module("depends=");
        ByteBuffer.wrap(damaged).order(ByteOrder.LITTLE_ENDIAN).putLong(0x28, 1L << 40);
        Path broken = Files.write(folder.resolve("y.ko"), damaged);
        assertThrows(IOException.class, () -> KernelModule.read(broken));
    }

    private static List<String> order(Map<String, List<String>> depends, String... wanted)
            throws IOException {
        Map<String, KernelModule> modules = new HashMap<>();
        depends.forEach(
                (name, needs) -> modules.put(name, new KernelModule(name, new byte[0], needs)));
        return new ArrayList<>(
                ModuleOrder.of(
                                Arrays.asList(wanted),
                                name -> Optional.ofNullable(modules.get(name)))
                        .stream()
                        .map(KernelModule::name)
                        .toList());
    }

    @Test
    void putsWhatAModuleDependsOnBeforeIt() throws IOException {
        Map<String, List<String>> modules =
                Map.of(
                        "ext4", List.of("jbd2", "mbcache", "crc16"),
                        "jbd2", List.of("crypto_crc32c"),
                        "mbcache", List.of(),
                        "crc16", List.of(),
                        "crc32c_generic", List.of(),
                        "virtio_blk", List.of("virtio_ring"));
        assertEquals(
                List.of("virtio_blk", "crc32c_generic", "jbd2", "mbcache", "crc16", "ext4"),
                order(modules, "virtio-blk", "ext4"),
                "virtio_ring is built in");
    }

    @Test
    void refusesAMissingModuleAndARing() {
        assertThrows(IOException.class, () -> order(Map.of(), "ext4"));
        String ring =
                assertThrows(
                                IOException.class,
                                () -> order(Map.of("a", List.of("b"), "b", List.of("a")), "a"))
                        .getMessage();
        assertTrue(ring.contains("a, b"), ring);
    }

    @Test
    void readsTheLibrariesOfAProgram() throws IOException {
        assertEquals(
                List.of("libc.so.6", "libm.so.6"),
                new ElfFile("p", ElfBuilder.program(List.of("libc.so.6", "libm.so.6")))
                        .neededLibraries());
        assertEquals(List.of(), new ElfFile("m", ElfBuilder.module("depends=")).neededLibraries());
    }
}
