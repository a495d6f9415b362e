package org.backplane.launcher.kernel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes files that look like kernels. */
public final class KernelFile {
    private KernelFile() {}

    public static Path write(Path file, long imageSize) throws IOException {
        return Files.write(file, header(imageSize).array());
    }

    static ByteBuffer header(long imageSize) {
        ByteBuffer header = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
        header.putLong(0x08, 0x200000);
        header.putLong(0x10, imageSize);
        header.put(0x30, "RISCV\0\0\0RSC\5".getBytes(StandardCharsets.US_ASCII));
        return header;
    }
}
