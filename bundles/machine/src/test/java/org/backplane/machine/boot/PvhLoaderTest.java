package org.backplane.machine.boot;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Optional;
import org.backplane.hypervisor.X86Entry;
import org.backplane.machine.boot.MadeUp.Elf;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PvhLoaderTest {
    private static final byte[] TEXT = MadeUp.content(3000, 5);
    private static final byte[] DATA = MadeUp.content(100, 9);

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

    private static Elf kernel(boolean wide) {
        long high = wide ? 0xffff_ffff_8000_0000L : 0x8000_0000L;
        return new Elf(wide)
                .load(high + 0x100_0000, 0x100_0000, TEXT, TEXT.length)
                .load(high + 0x100_2000, 0x100_2000, DATA, 0x5000);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void segmentsGoToTheirPhysicalAddressesAndTheNoteNamesTheEntry(boolean wide) throws Exception {
        byte[] file = kernel(wide).pvhNote(wide ? 8 : 4, 0x100_0123).build();
        X86Entry.ProtectedMode entry = (X86Entry.ProtectedMode) rig.load(file);
        assertEquals(0x100_0123, entry.eip());
        assertArrayEquals(TEXT, rig.array(0x100_0000, TEXT.length));
        assertArrayEquals(DATA, rig.array(0x100_2000, DATA.length));
        assertArrayEquals(new byte[0x4000], rig.array(0x100_2000 + DATA.length, 0x4000));
        assertEquals(0x00cf_9b00_0000_ffffL, rig.u64(entry.gdt().base() + 0x10));
    }

    @Test
    void startInfoTellsModuleCommandLineTablesAndMemory() throws Exception {
        byte[] initrd = MadeUp.content(5000, 2);
        byte[] file = kernel(true).pvhNote(8, 0x100_0000).build();
        long info = ((X86Entry.ProtectedMode) rig.load(file, Optional.of(initrd), "quiet é")).ebx();
        assertEquals(0x336ec578, rig.u32(info));
        assertEquals(1, rig.u32(info + 4), "version");
        assertEquals(0, rig.u32(info + 8), "flags");
        assertEquals(1, rig.u32(info + 12), "modules");
        long module = rig.u64(info + 16);
        assertArrayEquals(initrd, rig.array(rig.u64(module), initrd.length));
        assertEquals(initrd.length, rig.u64(module + 8));
        assertEquals("quiet é", rig.text(rig.u64(info + 24)));
        assertEquals(LoadingRig.RSDP, rig.u64(info + 32));
        long map = rig.u64(info + 40);
        assertEquals(3, rig.u32(info + 48));
        assertEquals(LoadingRig.FIRMWARE.base(), rig.u64(map + 24));
        assertEquals(LoadingRig.FIRMWARE.size(), rig.u64(map + 32));
        assertEquals(2, rig.u32(map + 40));
    }

    @Test
    void withoutInitrdThereIsNoModule() throws Exception {
        long info =
                ((X86Entry.ProtectedMode) rig.load(kernel(true).pvhNote(4, 0x100_0000).build()))
                        .ebx();
        assertEquals(0, rig.u32(info + 12));
        assertEquals(0, rig.u64(info + 16));
    }

    @Test
    void kernelInLowMemoryLeavesRoomForWhatItIsTold() throws Exception {
        byte[] low = MadeUp.content(0x8_0000, 4);
        byte[] file =
                new Elf(false).load(0x1000, 0x1000, low, low.length).pvhNote(4, 0x1000).build();
        long info = ((X86Entry.ProtectedMode) rig.load(file)).ebx();
        assertArrayEquals(low, rig.array(0x1000, low.length));
        assertTrue(info < 0x1000 || info >= 0x8_1000, Long.toHexString(info));
    }

    @Test
    void refusesAnElfWithoutTheNote() throws Exception {
        assertTrue(rig.refusal(kernel(true).build()).contains("PVH"));
        assertTrue(
                rig.refusal(kernel(true).build(), Optional.empty(), "", X86Kernel.PVH)
                        .contains("CONFIG_PVH"));
    }

    @Test
    void refusesAnEntryAbove32Bits() throws Exception {
        rig.refusal(kernel(true).pvhNote(8, 0x1_0000_0000L).build());
    }

    @Test
    void refusesAnEntryOutsideOfMemory() throws Exception {
        assertTrue(
                rig.refusal(kernel(true).pvhNote(8, 0x200_0000).build())
                        .contains("its entry 0x2000000 lies outside of memory"));
        assertEquals(
                0x1ff_ffff,
                ((X86Entry.ProtectedMode) rig.load(kernel(true).pvhNote(8, 0x1ff_ffff).build()))
                        .eip());
    }

    @Test
    void refusesOverlappingSegments() throws Exception {
        Elf elf = kernel(true).pvhNote(8, 0x100_0000).load(0, 0x100_6fff, DATA, DATA.length);
        assertTrue(rig.refusal(elf.build()).contains("overlaps"));
    }

    @Test
    void refusesSegmentsOutsideOfMemory() throws Exception {
        for (long physical :
                new long[] {0, 0x9_fc00, 0x20_0000_0000L, -1, -4096, Long.MIN_VALUE, 32 << 20}) {
            rig.refusal(new Elf(true).pvhNote(8, 0).load(0, physical, DATA, DATA.length).build());
        }
        for (long size : new long[] {DATA.length - 1, 32 << 20, -1, Long.MIN_VALUE}) {
            rig.refusal(new Elf(true).pvhNote(8, 0).load(0, 0x10_0000, DATA, size).build());
        }
    }

    @Test
    void refusesWhatIsCutOff() throws Exception {
        byte[] whole = kernel(true).pvhNote(8, 0x100_0000).build();
        for (int length : new int[] {0, 4, 16, 51, 63, 64, 100, 231, 232, 300, whole.length - 1}) {
            rig.refusal(
                    java.util.Arrays.copyOf(whole, length), Optional.empty(), "", X86Kernel.PVH);
        }
    }

    @Test
    void refusesOddHeaders() throws Exception {
        Elf other = kernel(true).pvhNote(8, 0x100_0000);
        other.machine = 243;
        assertTrue(rig.refusal(other.build()).contains("another processor"));
        Elf many = kernel(true).pvhNote(8, 0x100_0000);
        many.headers = 60_000;
        rig.refusal(many.build());
        many.headers = 200;
        rig.refusal(many.build());
        many.headers = 0;
        rig.refusal(many.build());
    }
}
