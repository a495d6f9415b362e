package org.backplane.machine.boot;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Optional;
import org.backplane.hypervisor.X86Entry;
import org.backplane.machine.boot.MadeUp.Elf;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MultibootLoaderTest {
    private static final int HEADER = 0x10_0040;
    private static final byte[] TEXT = MadeUp.content(3000, 5);

    @TempDir private Path folder;
    private LoadingRig rig;

    @BeforeEach
    void open() throws Exception {
        rig = new LoadingRig(folder, 32 * LoadingRig.MEGABYTE);
    }

    @AfterEach
    void close() {
        rig.close();
    }

    private X86Entry.ProtectedMode load(byte[] file, Optional<byte[]> module, String arguments)
            throws Exception {
        return (X86Entry.ProtectedMode) rig.load(file, module, arguments);
    }

    /** An image whose header has address fields, 64 bytes into what is loaded. */
    private static byte[] image(int load, int loadEnd, int bssEnd) {
        byte[] header = MadeUp.multiboot(1 << 16, HEADER, load, loadEnd, bssEnd, 0x10_0200);
        return MadeUp.joined(MadeUp.content(64, 1), header, TEXT);
    }

    @Test
    void imageWithAddressesIsLoadedByThem() throws Exception {
        byte[] file = image(HEADER - 64, 0, 0);
        X86Entry.ProtectedMode entry = load(file, Optional.empty(), "");
        assertEquals(0x10_0200, entry.eip());
        assertEquals(0x2badb002, entry.eax());
        assertArrayEquals(file, rig.array(0x10_0000, file.length));
    }

    @Test
    void whatIsBeforeAndBehindTheLoadedPartStaysOut() throws Exception {
        byte[] file = image(HEADER, HEADER + 40, HEADER + 0x1000);
        load(file, Optional.empty(), "");
        assertArrayEquals(java.util.Arrays.copyOfRange(file, 64, 104), rig.array(HEADER, 40));
        assertArrayEquals(new byte[64], rig.array(HEADER - 64, 64));
        assertArrayEquals(new byte[0x1000], rig.array(HEADER + 40, 0x1000));
    }

    private static Elf elf(boolean wide, int flags) {
        byte[] content = MadeUp.joined(MadeUp.multiboot(flags), TEXT);
        Elf elf = new Elf(wide).load(0x40_0000, 0x20_0000, content, 0x2000);
        elf.entry = 0x40_0100;
        return elf;
    }

    @Test
    void elfIsLoadedByItsSegmentsAndItsEntryIsMadePhysical() throws Exception {
        for (boolean wide : new boolean[] {false, true}) {
            assertEquals(0x20_0100, load(elf(wide, 3).build(), Optional.empty(), "").eip());
            assertArrayEquals(TEXT, rig.array(0x20_000c, TEXT.length));
        }
    }

    @Test
    void informationTellsMemoryCommandLineAndModule() throws Exception {
        byte[] module = "NR_CPUS=2\n".getBytes();
        long info = load(elf(false, 0).build(), Optional.of(module), "one two").ebx();
        long flags = rig.u32(info);
        assertEquals(1 | 1 << 2 | 1 << 3 | 1 << 6 | 1 << 9, flags);
        assertEquals(639, rig.u32(info + 4), "KiB of lower memory");
        assertEquals(31 * 1024, rig.u32(info + 8), "KiB of upper memory");
        assertTrue(rig.text(rig.u32(info + 16)).endsWith(" one two"));
        assertEquals(1, rig.u32(info + 20));
        long list = rig.u32(info + 24);
        long start = rig.u32(list);
        assertEquals(0, start % 4096);
        assertTrue(start >= 0x20_2000, "behind the kernel's cleared memory");
        assertEquals(start + module.length, rig.u32(list + 4));
        assertArrayEquals(module, rig.array(start, module.length));
        assertTrue(rig.text(rig.u32(list + 8)).startsWith("/"), "the file's name");
        assertEquals("Backplane", rig.text(rig.u32(info + 64)));
    }

    @Test
    void memoryMapHasASizeBeforeEachEntry() throws Exception {
        long info = load(elf(false, 0).build(), Optional.empty(), "").ebx();
        assertEquals(3 * 24, rig.u32(info + 44));
        long second = rig.u32(info + 48) + 24;
        assertEquals(20, rig.u32(second));
        assertEquals(LoadingRig.FIRMWARE.base(), rig.u64(second + 4));
        assertEquals(LoadingRig.FIRMWARE.size(), rig.u64(second + 12));
        assertEquals(2, rig.u32(second + 20));
    }

    @Test
    void firstWordOfTheCommandLineIsTheKernel() throws Exception {
        long info = load(elf(false, 0).build(), Optional.empty(), "a").ebx();
        assertEquals("file0 a", rig.text(rig.u32(info + 16)));
    }

    @Test
    void refusesWhatItCannotGive() throws Exception {
        assertTrue(rig.refusal(elf(false, 1 << 2).build()).contains("video mode"));
        assertTrue(rig.refusal(elf(false, 1 << 15).build()).contains("0x8000"));
    }

    @Test
    void refusesAHeaderBehindTheFirst8KiBOrOutOfStep() throws Exception {
        byte[] header = MadeUp.multiboot(1 << 16, HEADER, HEADER, 0, 0, HEADER);
        rig.refusal(MadeUp.joined(new byte[8192], header));
        rig.refusal(MadeUp.joined(new byte[8192 - 8], header));
        rig.refusal(MadeUp.joined(new byte[2], header));
        byte[] wrong = header.clone();
        wrong[8]++;
        assertTrue(rig.refusal(wrong).contains("Multiboot"));
        rig.refusal(MadeUp.multiboot(1 << 16, HEADER));
    }

    @Test
    void refusesAddressesThatContradict() throws Exception {
        assertTrue(rig.refusal(image(HEADER + 4, 0, 0)).contains("contradict"));
        assertTrue(rig.refusal(image(HEADER - 68, 0, 0)).contains("contradict"));
        assertTrue(rig.refusal(image(HEADER, HEADER, 0)).contains("contradict"));
        assertTrue(rig.refusal(image(HEADER, HEADER + 100, HEADER + 50)).contains("contradict"));
        assertTrue(rig.refusal(image(HEADER, HEADER + 100_000, 0)).contains("take a whole copy"));
        assertTrue(rig.refusal(image(HEADER, 0, 0x4000_0000)).contains("--memory"));
        rig.refusal(MadeUp.joined(MadeUp.multiboot(1 << 16, 0x9_fc00, 0x9_fc00, 0, 0, 0), TEXT));
    }

    @Test
    void namesNoSizeOfMemoryWhereNoneHelps() throws Exception {
        Elf elf = new Elf(false).load(0, 0xf000_0000L, MadeUp.multiboot(0), 0x2000);
        String said = rig.refusal(elf.build());
        assertTrue(said.contains("0x2000 bytes at 0xf0000000"), said);
        assertTrue(said.contains("from 0xc0000000 to 0xffffffff"), said);
        assertFalse(said.contains("--memory"), said);
        assertTrue(rig.refusal(image(HEADER, 0, -1)).contains("no size of memory"));
        assertTrue(
                rig.refusal(
                                new Elf(false)
                                        .load(0, 0xbfff_f000L, MadeUp.multiboot(0), 0x1000)
                                        .build())
                        .contains("--memory"),
                "the last page below");
    }

    @Test
    void refusesAnEntryOutsideOfMemory() throws Exception {
        Elf elf = elf(false, 0);
        elf.entry = 0x9000_0000L;
        assertTrue(
                rig.refusal(elf.build())
                        .contains(
                                "its entry 0x90000000 lies outside of memory, which ends at 0x2000000"));
        byte[] header = MadeUp.multiboot(1 << 16, HEADER, HEADER, 0, 0, 0x9000_0000);
        assertTrue(rig.refusal(MadeUp.joined(header, TEXT)).contains("its entry 0x90000000"));
    }

    @Test
    void refusesAModuleThatDoesNotFit() throws Exception {
        assertTrue(
                rig.refusal(
                                elf(false, 0).build(),
                                Optional.of(new byte[31 << 20]),
                                "",
                                X86Kernel.MULTIBOOT)
                        .contains("--memory"));
    }
}
