package org.backplane.launcher.kernel;

import static org.backplane.launcher.kernel.X86Kernels.elf;
import static org.backplane.launcher.kernel.X86Kernels.multiboot;
import static org.backplane.launcher.kernel.X86Kernels.pvhNotes;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KernelImageTest {
    private static final int PHYS32_ENTRY = 18;
    private static final byte[] NO_NOTE = {};

    @TempDir Path folder;

    private KernelImage read(byte[] contents) throws IOException {
        return KernelImage.read(Files.write(folder.resolve("kernel"), contents), Optional.empty());
    }

    private KernelImage read(ByteBuffer contents) throws IOException {
        return read(contents.array());
    }

    private String refusal(byte[] contents, KernelFormat... told) throws IOException {
        Path file = Files.write(folder.resolve("other"), contents);
        return assertThrows(
                        IOException.class,
                        () -> KernelImage.read(file, Arrays.stream(told).findFirst()))
                .getMessage();
    }

    private void refused(String words, byte[] contents, KernelFormat... told) throws IOException {
        String sentence = refusal(contents, told);
        assertTrue(sentence.contains(words), () -> "'" + words + "' is not in: " + sentence);
    }

    private static KernelImage riscv(long end) {
        return new KernelImage(KernelFormat.RISCV, end, 1023);
    }

    private static KernelImage x86(KernelFormat format, long end) {
        return new KernelImage(format, end, 2047);
    }

    @Test
    void readsPlaceAndSizeOfARiscvImage() throws IOException {
        assertEquals(riscv((2 + 32) << 20), read(KernelFile.header(32 << 20)));
    }

    @Test
    void countsTheFileIfItIsLargerThanItsHeaderSays() throws IOException {
        assertEquals(riscv((2 << 20) + 4096), read(KernelFile.header(100)));
    }

    @Test
    void readsPlaceAndSizeOfABzImage() throws IOException {
        assertEquals(x86(KernelFormat.LINUX, 48 << 20), read(X86Kernels.bzImage()));
    }

    @ParameterizedTest
    @CsvSource({"0x236, 0", "0x206, 0xb", "0x211, 0"})
    void refusesAnX86KernelWithoutA64BitEntry(String offset, String value) throws IOException {
        byte[] image = X86Kernels.bzImage();
        image[Integer.decode(offset)] = Integer.decode(value).byteValue();
        refused("no 64-bit entry (XLF_KERNEL_64)", image);
    }

    @Test
    void refusesABzImageThatIsCutShort() throws IOException {
        refused("8191 bytes of the 8192", Arrays.copyOf(X86Kernels.bzImage(), 8191));
        refused("no 64-bit entry", Arrays.copyOf(X86Kernels.bzImage(), 0x210));
    }

    @Test
    void findsThePvhEntryOfAnElfFile() throws IOException {
        ByteBuffer file = elf(true, ElfKernel.EM_X86_64, pvhNotes("Xen", PHYS32_ENTRY));
        assertEquals(x86(KernelFormat.PVH, 0x110000), read(file));
    }

    @Test
    void refusesAnElfFileWithoutThatNote() throws IOException {
        String words = "a 64-bit x86 ELF file without a PVH note (Linux: CONFIG_PVH)";
        refused(words, elf(true, ElfKernel.EM_X86_64, NO_NOTE).array());
        refused(words, elf(true, ElfKernel.EM_X86_64, pvhNotes("Xen", 17)).array());
        refused(words, elf(true, ElfKernel.EM_X86_64, pvhNotes("Xem", PHYS32_ENTRY)).array());
        refused(
                "a 32-bit x86 ELF file without a multiboot-1 header",
                elf(false, ElfKernel.EM_386, pvhNotes("Xen", PHYS32_ENTRY)).array());
    }

    @Test
    void refusesAnElfFileThatIsCutShort() throws IOException {
        byte[] whole = elf(true, ElfKernel.EM_X86_64, pvhNotes("Xen", PHYS32_ENTRY)).array();
        refused(
                "8191 bytes of the 8192",
                Arrays.copyOf(whole, 0x1fff).clone(),
                new KernelFormat[0]);
        refused("cut short", Arrays.copyOf(whole, 0x80));
    }

    /** The note, or all that follows the headers, is not there to be found. */
    @Test
    void saysThatAnElfFileIsCutShortBeforeItMissesWhatIsBehind() throws IOException {
        byte[] pvh = elf(true, ElfKernel.EM_X86_64, pvhNotes("Xen", PHYS32_ENTRY)).array();
        refused("1024 bytes of the", Arrays.copyOf(pvh, 0x400));
        refused("cut short", Arrays.copyOf(pvh, 0x400), KernelFormat.PVH);
        byte[] multiboot = multiboot(elf(false, ElfKernel.EM_386, NO_NOTE), 0x1000, 3).array();
        refused("1000 bytes of the 8192", Arrays.copyOf(multiboot, 1000));
        refused("cut short", Arrays.copyOf(multiboot, 1000), KernelFormat.MULTIBOOT);
    }

    @ParameterizedTest
    @CsvSource({"RISCV", "LINUX", "PVH"})
    void saysWhatAnElfFileOfAnotherFormatHas(KernelFormat told) throws IOException {
        byte[] multiboot = multiboot(elf(false, ElfKernel.EM_386, NO_NOTE), 0x1000, 3).array();
        refused("but a 32-bit x86 ELF file with a multiboot-1 header;", multiboot, told);
        refused(
                "but a file with a multiboot-1 header;",
                withAddresses(0x100000, 0, 0x200000).array(),
                told);
    }

    @Test
    void saysThatAPvhKernelHasItsNote() throws IOException {
        byte[] pvh = elf(true, ElfKernel.EM_X86_64, pvhNotes("Xen", PHYS32_ENTRY)).array();
        refused("a 64-bit x86 ELF file with a PVH note;", pvh, KernelFormat.MULTIBOOT);
    }

    /** From 3 to 4 GiB are devices, and memory goes on above. */
    @Test
    void refusesAddressesThatNoSizeOfMemoryReaches() throws IOException {
        String words = "no size of memory has any from 0xc0000000 to 0xffffffff";
        ByteBuffer file = elf(true, ElfKernel.EM_X86_64, pvhNotes("Xen", PHYS32_ENTRY));
        refused(words, file.putLong(0x40 + 0x18, 0xf000_0000L).array());
        refused(words, file.putLong(0x40 + 0x18, 0xffff_ffffL).array());
        refused(words, file.putLong(0x40 + 0x18, 0xbfff_0001L).array());
        assertEquals(
                x86(KernelFormat.PVH, 0xc000_0000L), read(file.putLong(0x40 + 0x18, 0xbfff_0000L)));
        assertEquals(
                x86(KernelFormat.PVH, 0xc001_0000L),
                read(file.putLong(0x40 + 0x18, 0x1_0000_0000L)));
        refused(words, withAddresses(0x100000, 0, 0xd000_0000).array());
        byte[] linux = X86Kernels.bzImage();
        ByteBuffer.wrap(linux).order(ByteOrder.LITTLE_ENDIAN).putLong(0x258, 0xbf00_0000L);
        refused(words, linux);
    }

    @Test
    void refusesSegmentsThatNoMemoryHolds() throws IOException {
        ByteBuffer file = elf(true, ElfKernel.EM_X86_64, pvhNotes("Xen", PHYS32_ENTRY));
        file.putLong(0x40 + 0x18, 0xffff_ffff_8100_0000L);
        refused("loaded at 0xffffffff81000000", file.array());
        file.putLong(0x40 + 0x18, 0x100000).putLong(0x40 + 0x28, 0xfff);
        refused("with 0xfff bytes", file.array());
        file.putLong(0x40 + 0x20, 0).putLong(0x40 + 0x28, 0);
        refused("nothing that is loaded", file.array());
    }

    @Test
    void findsAMultibootHeaderOfAnElfFile() throws IOException {
        ByteBuffer file = multiboot(elf(false, ElfKernel.EM_386, NO_NOTE), 0x1000, 3);
        assertEquals(x86(KernelFormat.MULTIBOOT, 0x110000), read(file));
    }

    @Test
    void prefersThePvhEntryToAMultibootHeader() throws IOException {
        ByteBuffer file = elf(true, ElfKernel.EM_X86_64, pvhNotes("Xen", PHYS32_ENTRY));
        multiboot(file, 0x1000, 3);
        assertEquals(KernelFormat.PVH, read(file).format());
        Path kernel = folder.resolve("kernel");
        assertEquals(
                KernelFormat.MULTIBOOT,
                KernelImage.read(kernel, Optional.of(KernelFormat.MULTIBOOT)).format());
    }

    private static ByteBuffer withAddresses(int load, int loadEnd, int bssEnd) {
        ByteBuffer file = ByteBuffer.allocate(16384).order(ByteOrder.LITTLE_ENDIAN);
        multiboot(file, 0x100, 1 << 16).putInt(0x10c, 0x100100).putInt(0x110, load);
        return file.putInt(0x114, loadEnd).putInt(0x118, bssEnd).putInt(0x11c, load);
    }

    @Test
    void takesTheAddressesOfAMultibootHeader() throws IOException {
        assertEquals(
                x86(KernelFormat.MULTIBOOT, 0x200000), read(withAddresses(0x100000, 0, 0x200000)));
        assertEquals(x86(KernelFormat.MULTIBOOT, 0x104000), read(withAddresses(0x100000, 0, 0)));
        assertEquals(
                x86(KernelFormat.MULTIBOOT, 0x103f80),
                read(withAddresses(0x100080, 0x100080 + 0x3f00, 0)));
    }

    @Test
    void refusesAMultibootHeaderThatSaysNoPlace() throws IOException {
        ByteBuffer raw = ByteBuffer.allocate(8192).order(ByteOrder.LITTLE_ENDIAN);
        refused("nothing says where it is loaded", multiboot(raw, 0, 0).array());
        refused("contradict each other", withAddresses(0x100104, 0, 0).array());
        refused("contradict each other", withAddresses(0xf0000, 0, 0).array());
        refused("16384 bytes of the 16385", withAddresses(0x100000, 0x104001, 0).array());
    }

    @Test
    void looksForAMultibootHeaderOnlyWhereItMayBe() throws IOException {
        ByteBuffer file = ByteBuffer.allocate(16384).order(ByteOrder.LITTLE_ENDIAN);
        refused("something else", multiboot(file, 8192 - 8, 0).array());
        ByteBuffer odd = ByteBuffer.allocate(16384).order(ByteOrder.LITTLE_ENDIAN);
        refused("something else", multiboot(odd, 2, 0).array());
        ByteBuffer sum = ByteBuffer.allocate(16384).order(ByteOrder.LITTLE_ENDIAN);
        refused("something else", multiboot(sum, 0, 0).putInt(8, 7).array());
        ByteBuffer last = ByteBuffer.allocate(16384).order(ByteOrder.LITTLE_ENDIAN);
        refused("nothing says where", multiboot(last, 8192 - 12, 0).array());
    }

    @Test
    void saysThatAHeaderIsOfTheSecondMultiboot() throws IOException {
        ByteBuffer file = elf(false, ElfKernel.EM_386, NO_NOTE).putInt(0x1008, 0xE85250D6);
        refused("of the second specification", file.array());
    }

    @Test
    void takesFlatCodeThatFits() throws IOException {
        Path file = Files.write(folder.resolve("code"), new byte[0x90000]);
        assertEquals(
                new KernelImage(KernelFormat.FLAT, 0xA0000, 0),
                KernelImage.read(file, Optional.of(KernelFormat.FLAT)));
        refused(
                "589825 bytes, and a flat image at most 589824",
                new byte[0x90001],
                KernelFormat.FLAT);
        refused("an empty file", new byte[0], KernelFormat.FLAT);
    }

    @ParameterizedTest
    @CsvSource({
        "RISCV, an x86 Linux kernel",
        "PVH, an x86 Linux kernel",
        "MULTIBOOT, an x86 Linux kernel"
    })
    void refusesAFileThatIsNotOfTheFormatItIsToldToBe(KernelFormat told, String words)
            throws IOException {
        refused("not of the format '" + told.word() + "'", X86Kernels.bzImage(), told);
        refused(words, X86Kernels.bzImage(), told);
        refused("a riscv64 Linux Image", KernelFile.header(1).array(), KernelFormat.LINUX);
    }

    @ParameterizedTest
    @CsvSource({
        "1f8b, compressed with gzip",
        "fd377a585a00, compressed with xz",
        "28b52ffd, compressed with zstd",
        "425a6839, compressed with bzip2",
        "02214c18, compressed with lz4",
        "4d5a00007a696d67, EFI zboot",
        "4d5a, something else"
    })
    void saysWhatItIsInstead(String start, String words) throws IOException {
        byte[] contents = new byte[0x300];
        byte[] magic = java.util.HexFormat.of().parseHex(start);
        System.arraycopy(magic, 0, contents, 0, magic.length);
        refused(words, contents);
    }

    @Test
    void saysForWhichProcessorItIsInstead() throws IOException {
        byte[] arm64 = new byte[0x210];
        System.arraycopy("ARMd".getBytes(StandardCharsets.US_ASCII), 0, arm64, 0x38, 4);
        refused("arm64 kernel", arm64);
        refused("an arm64 ELF file", elf(true, ElfKernel.EM_AARCH64, NO_NOTE).array());
        refused("a RISC-V ELF file", elf(true, ElfKernel.EM_RISCV, NO_NOTE).array());
        refused("another processor", elf(true, 22, NO_NOTE).array());
        refused("empty file", new byte[0]);
        refused("a file of 5 bytes", new byte[5]);
    }

    /** Whatever a file says, the answer is a kernel or a sentence. */
    @Test
    void survivesAnyHeader() throws IOException {
        Random random = new Random(5);
        for (int i = 0; i < 2000; i++) {
            byte[] file =
                    switch (i % 4) {
                        case 0 -> X86Kernels.bzImage();
                        case 1 -> elf(true, 62, pvhNotes("Xen", PHYS32_ENTRY)).array();
                        case 2 -> multiboot(elf(false, 3, NO_NOTE), 0x1000, 3).array();
                        default -> withAddresses(0x100000, 0, 0x200000).array();
                    };
            for (int j = 0; j < 8; j++) {
                int within = random.nextBoolean() ? 0x100 : 0x300;
                file[random.nextInt(within)] = (byte) random.nextInt();
            }
            try {
                KernelImage image = read(file);
                assertTrue(image.end() > 0, () -> image.toString());
            } catch (IOException e) {
                assertTrue(e.getMessage().length() > 10, e.getMessage());
            }
        }
    }

    @Test
    void refusesABigEndianKernel() throws IOException {
        ByteBuffer header = KernelFile.header(32 << 20);
        header.putLong(0x18, 1);
        refused("big-endian", header.array());
    }

    /** As Debian's: an EFI application, the contents of whose last section end at 12,288. */
    private static byte[] efiApplication(int length) {
        ByteBuffer image = ByteBuffer.allocate(0x3000).order(ByteOrder.LITTLE_ENDIAN);
        image.put(KernelFile.header(32 << 20));
        image.putShort(0, (short) 0x5a4d);
        image.putInt(0x3c, 0x40);
        image.putInt(0x40, 0x4550);
        image.putShort(0x46, (short) 2);
        image.putShort(0x54, (short) 0xa0);
        int table = 0x40 + 24 + 0xa0;
        image.putInt(table + 16, 0x1000).putInt(table + 20, 0x1000);
        image.putInt(table + 40 + 16, 0x1000).putInt(table + 40 + 20, 0x2000);
        return Arrays.copyOf(image.array(), length);
    }

    @Test
    void refusesARiscvImageThatIsCutShort() throws IOException {
        assertEquals(riscv((2 + 32) << 20), read(efiApplication(0x3000)));
        refused("12287 bytes of the 12288", efiApplication(0x2fff));
        refused("cut short", efiApplication(0x50));
        refused("cut short", efiApplication(0x100));
    }

    @Test
    void refusesAFolderAndAnAbsentFile() {
        assertThrows(IOException.class, () -> KernelImage.read(folder, Optional.empty()));
        assertThrows(
                IOException.class,
                () -> KernelImage.read(folder.resolve("none"), Optional.empty()));
    }
}
