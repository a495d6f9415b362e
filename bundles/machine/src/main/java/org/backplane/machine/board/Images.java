package org.backplane.machine.board;

import java.nio.file.Path;
import java.util.Optional;

/**
 * What is loaded at every boot.
 *
 * @param initrd initial RAM disk, or the first module of a kernel that takes modules
 * @param format {@code linux}, {@code pvh}, {@code multiboot}, {@code flat} or {@code riscv}; empty
 *     to tell it from the kernel's content
 */
public record Images(Path kernel, Optional<Path> initrd, String commandLine, String format) {}
