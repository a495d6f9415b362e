package org.backplane.launcher.option;

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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelImageTest {
    @TempDir Path folder;

    @Test
    void readsPlaceAndSize() throws IOException {
        Path file = KernelFile.write(folder.resolve("Image"), 32 << 20);
        assertEquals(new KernelImage(0x200000, 32 << 20), KernelImage.read(file));
    }

    @Test
    void countsTheFileIfItIsLargerThanItsHeaderSays() throws IOException {
        Path file = KernelFile.write(folder.resolve("Image"), 100);
        assertEquals(4096, KernelImage.read(file).imageSize());
    }

    @Test
    void saysWhatItIsInstead() throws IOException {
        refused("gzip", (byte) 0x1f, (byte) 0x8b);
        refused("ELF", (byte) 0x7f, (byte) 'E', (byte) 'L', (byte) 'F');
        refused("empty file");
        byte[] x86 = new byte[0x210];
        System.arraycopy("HdrS".getBytes(StandardCharsets.US_ASCII), 0, x86, 0x202, 4);
        assertTrue(refusal(x86).contains("x86"), refusal(x86));
        byte[] arm64 = new byte[0x210];
        System.arraycopy("ARMd".getBytes(StandardCharsets.US_ASCII), 0, arm64, 0x38, 4);
        assertTrue(refusal(arm64).contains("arm64"), refusal(arm64));
        assertTrue(refusal(new byte[0x210]).contains("something else"));
    }

    @Test
    void refusesABigEndianKernel() throws IOException {
        ByteBuffer header = KernelFile.header(32 << 20);
        header.putLong(0x18, 1);
        assertTrue(refusal(header.array()).contains("big-endian"));
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
    void refusesAKernelThatIsCutShort() throws IOException {
        Path whole = Files.write(folder.resolve("Image"), efiApplication(0x3000));
        assertEquals(new KernelImage(0x200000, 32 << 20), KernelImage.read(whole));
        assertTrue(refusal(efiApplication(0x2fff)).contains("12287 bytes of the 12288"));
        assertTrue(refusal(efiApplication(0x50)).contains("cut short"), "inside the PE header");
        assertTrue(refusal(efiApplication(0x100)).contains("cut short"), "inside the table");
    }

    @Test
    void refusesAFolderAndAnAbsentFile() {
        assertThrows(IOException.class, () -> KernelImage.read(folder));
        assertThrows(IOException.class, () -> KernelImage.read(folder.resolve("none")));
    }

    private void refused(String word, byte... start) throws IOException {
        byte[] contents = new byte[start.length == 0 ? 0 : 0x210];
        System.arraycopy(start, 0, contents, 0, start.length);
        assertTrue(refusal(contents).contains(word), refusal(contents));
    }

    private String refusal(byte[] contents) throws IOException {
        Path file = Files.write(folder.resolve("other"), contents);
        return assertThrows(IOException.class, () -> KernelImage.read(file)).getMessage();
    }
}
