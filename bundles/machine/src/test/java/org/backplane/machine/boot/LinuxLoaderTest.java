package org.backplane.machine.boot;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.backplane.hypervisor.X86Entry;
import org.backplane.machine.boot.MadeUp.BzImage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LinuxLoaderTest {
    @TempDir private Path folder;
    private LoadingRig rig;
    private final BzImage image = new BzImage();

    @BeforeEach
    void open() throws Exception {
        rig = new LoadingRig(folder, 64 * LoadingRig.MEGABYTE);
    }

    @AfterEach
    void close() {
        rig.close();
    }

    private X86Entry.LongMode load(Optional<byte[]> initrd, String commandLine) throws Exception {
        return (X86Entry.LongMode) rig.load(image.build(), initrd, commandLine);
    }

    @Test
    void kernelGoesWhereItPrefersAndBeginsAtItsSecondEntry() throws Exception {
        X86Entry.LongMode entry = load(Optional.empty(), "");
        assertEquals(0x100_0200, entry.rip());
        assertArrayEquals(image.payload, rig.array(0x100_0000, image.payload.length));
    }

    @Test
    void kernelThatCannotMoveGoesToOneMegabyte() throws Exception {
        image.relocatable = 0;
        assertEquals(0x10_0200, load(Optional.empty(), "").rip());
        assertArrayEquals(image.payload, rig.array(0x10_0000, image.payload.length));
    }

    @Test
    void zeroPageHasTheHeaderAndWhatTheLoaderKnows() throws Exception {
        byte[] initrd = MadeUp.content(9000, 17);
        long page = load(Optional.of(initrd), "console=ttyS0 name=é").rsi();
        assertEquals(0x53726448, rig.u32(page + 0x202));
        assertEquals(0x20f, rig.u32(page + 0x206) & 0xffff);
        assertEquals(0xff, rig.bytes(page + 0x210, 1).get() & 0xff, "an unknown boot loader");
        assertEquals(0, rig.bytes(page + 0x1ef, 1).get(), "the sentinel of a page that is clear");
        assertEquals("console=ttyS0 name=é", rig.text(rig.u32(page + 0x228)));
        assertEquals(LoadingRig.RSDP, rig.u64(page + 0x070));
        long ramdisk = rig.u32(page + 0x218);
        assertEquals(initrd.length, rig.u32(page + 0x21c));
        assertArrayEquals(initrd, rig.array(ramdisk, initrd.length));
        assertEquals(0, ramdisk % 4096);
        assertTrue(ramdisk > 0x120_0000, "behind what the kernel needs to begin");
    }

    @Test
    void memoryMapIsInTheZeroPage() throws Exception {
        long page = load(Optional.empty(), "").rsi();
        assertEquals(3, rig.bytes(page + 0x1e8, 1).get());
        List<Long> entries =
                Stream.iterate(page + 0x2d0, at -> at + 20)
                        .limit(3)
                        .flatMap(at -> Stream.of(rig.u64(at), rig.u64(at + 8), rig.u32(at + 16)))
                        .toList();
        assertEquals(
                List.of(0L, 0x9_fc00L, 1L, 0x9_fc00L, 0x6_0400L, 2L, 0x10_0000L, 63L << 20, 1L),
                entries);
    }

    @Test
    void seedIsThereAndAnotherEachTime() throws Exception {
        long first = rig.u64(load(Optional.empty(), "").rsi() + 0x250);
        assertEquals(0, rig.u64(first), "the only node");
        assertEquals(9, rig.u32(first + 8));
        assertEquals(32, rig.u32(first + 12));
        ByteBuffer seed = rig.bytes(first + 16, 32);
        long second = rig.u64(load(Optional.empty(), "").rsi() + 0x250);
        assertTrue(!seed.equals(rig.bytes(second + 16, 32)));
    }

    @Test
    void firstFourGibibytesAreMappedWhereTheyAre() throws Exception {
        X86Entry.LongMode entry = load(Optional.empty(), "");
        for (long address : new long[] {0, 0x100_0000, 0xbfff_f000L, 0xffff_f000L}) {
            long pointers = rig.u64(entry.pageTables()) & -4096;
            long directory = rig.u64(pointers + 8 * (address >>> 30)) & -4096;
            long large = rig.u64(directory + 8 * (address >>> 21 & 511));
            assertEquals(address & -(2 << 20), large & -(2 << 20));
            assertEquals(0x83, large & 0xfff);
        }
        assertEquals(0x00af_9b00_0000_ffffL, rig.u64(entry.gdt().base() + 0x10));
        assertEquals(0x00cf_9300_0000_ffffL, rig.u64(entry.gdt().base() + 0x18));
    }

    @Test
    void initrdStaysBelowTheKernelsLimit() throws Exception {
        image.initrdMax = 0x1ff_ffff;
        long page = load(Optional.of(MadeUp.content(5000, 1)), "").rsi();
        assertEquals(0x200_0000 - 8192, rig.u32(page + 0x218));
    }

    @Test
    void lastParagraphMayBeAPart() throws Exception {
        image.missing = 7; // 5000 bytes are 312.5 paragraphs
        load(Optional.empty(), "");
        image.missing = 9;
        assertTrue(rig.refusal(image.build()).contains("take a whole copy"));
    }

    @Test
    void refusesWhatDoesNotFit() throws Exception {
        image.initSize = 60 << 20;
        assertTrue(rig.refusal(image.build()).contains("--memory"));
        image.initSize = 1 << 20;
        assertTrue(
                rig.refusal(image.build(), Optional.of(new byte[50 << 20]), "", null)
                        .contains("--memory"));
        image.preferred = 1L << 40;
        assertTrue(rig.refusal(image.build()).contains("0x10000000000"));
        image.preferred = -4096;
        rig.refusal(image.build());
        image.preferred = 0x8_0000;
        rig.refusal(image.build());
    }

    @Test
    void refusesAKernelWithoutA64BitEntry() throws Exception {
        image.xloadflags = 0;
        assertTrue(rig.refusal(image.build()).contains("64-bit"));
        image.xloadflags = 3;
        image.version = 0x20b;
        assertTrue(rig.refusal(image.build()).contains("2.11"));
    }

    @Test
    void refusesATooLongCommandLine() throws Exception {
        image.commandLine = 10;
        assertTrue(
                rig.refusal(image.build(), Optional.empty(), "12345678901", null)
                        .contains("--append"));
        load(Optional.empty(), "1234567890");
        image.commandLine = Integer.MAX_VALUE;
        assertTrue(
                rig.refusal(image.build(), Optional.empty(), "x".repeat(700_000), null)
                        .contains("command line"));
    }

    @Test
    void refusesAHeaderThatIsCutOff() throws Exception {
        image.jump = 0x50;
        rig.refusal(image.build());
        image.jump = 0xff;
        load(Optional.empty(), "");
        byte[] whole = image.build();
        for (int length : new int[] {0, 1, 0x1fe, 0x205, 0x206, 0x300, 0x302, 1023, 1025}) {
            rig.refusal(
                    java.util.Arrays.copyOf(whole, length), Optional.empty(), "", X86Kernel.LINUX);
        }
    }

    @Test
    void refusesAnEmptyInitrd() throws Exception {
        assertTrue(
                rig.refusal(image.build(), Optional.of(new byte[0]), "", null).contains("initrd"));
    }

    /** A kernel of this machine's, or of the nested rig's, where there is one. */
    @Test
    void kernelOfADistributionIsLoaded() throws Exception {
        Optional<Path> kernel = realKernel();
        if (kernel.isEmpty()) {
            System.out.println("LinuxLoaderTest: skipped, no /boot/vmlinuz-* or rig kernel here");
        }
        Assumptions.assumeTrue(kernel.isPresent());
        try (LoadingRig large = new LoadingRig(folder, 512 * LoadingRig.MEGABYTE)) {
            X86Entry.LongMode entry =
                    (X86Entry.LongMode) large.load(kernel.get(), Optional.empty(), "quiet", null);
            assertEquals(0x100_0200, entry.rip(), "where Linux is linked to");
            assertTrue(large.u32(entry.rsi() + 0x260) > 8 << 20, "what it needs to begin");
        }
    }

    private static Optional<Path> realKernel() throws Exception {
        Path rig = Path.of(System.getProperty("user.home"), ".cache/backplane/rig/kernel");
        for (Path from : List.of(Path.of("/boot"), rig)) {
            if (Files.isDirectory(from)) {
                try (Stream<Path> files = Files.find(from, 2, (path, is) -> isKernel(path))) {
                    Optional<Path> found = files.findFirst();
                    if (found.isPresent()) {
                        return found;
                    }
                }
            }
        }
        return Optional.empty();
    }

    private static boolean isKernel(Path path) {
        return path.getFileName().toString().startsWith("vmlinuz") && Files.isReadable(path);
    }
}
