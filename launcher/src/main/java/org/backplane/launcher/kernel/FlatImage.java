package org.backplane.launcher.kernel;

import java.io.IOException;

/** Code for real mode, which is loaded at 0x1000:0 and entered there. */
final class FlatImage {
    private static final int ADDRESS = 0x10000;

    /** What lies above is the PC's. */
    private static final int END = 0xA0000;

    private FlatImage() {}

    static KernelImage image(KernelBytes file) throws IOException {
        if (file.size() == 0) {
            throw new IOException("it is an empty file; give code for real mode");
        }
        if (file.size() > END - ADDRESS) {
            throw new IOException(
                    "it has "
                            + file.size()
                            + " bytes, and a flat image at most "
                            + (END - ADDRESS)
                            + "; give another, or another --format");
        }
        return new KernelImage(KernelFormat.FLAT, ADDRESS + file.size(), 0);
    }
}
