package org.backplane.launcher.guest;

import java.nio.file.Path;

/**
 * A guest that is ready to boot.
 *
 * @param kernel riscv64 Image
 * @param initrd uncompressed initramfs
 */
public record Guest(Path kernel, Path initrd) {}
