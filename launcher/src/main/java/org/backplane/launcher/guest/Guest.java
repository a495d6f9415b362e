package org.backplane.launcher.guest;

import java.nio.file.Path;

/**
 * A guest that is ready to boot.
 *
 * @param kernel riscv64 Image or x86-64 bzImage
 * @param initrd uncompressed initramfs
 */
public record Guest(Path kernel, Path initrd) {}
