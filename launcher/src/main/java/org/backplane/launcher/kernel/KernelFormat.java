package org.backplane.launcher.kernel;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** How a kernel is put into memory and entered. */
public enum KernelFormat {
    /** Linux, {@code Documentation/arch/riscv/boot-image-header.rst}. */
    RISCV(Architecture.RISCV64, "console=ttyS0"),
    /** A bzImage: Linux, {@code Documentation/arch/x86/boot.rst}. */
    LINUX(Architecture.X86_64, "console=ttyS0"),
    /** An ELF file with Xen's note of an entry: Xen, {@code docs/misc/pvh.pandoc}. */
    PVH(Architecture.X86_64, "console=ttyS0"),
    /** Multiboot specification 0.6.96. */
    MULTIBOOT(Architecture.X86_64, ""),
    /** Code for real mode, without a header; never found out, only told. */
    FLAT(Architecture.X86_64, "");

    private final Architecture architecture;
    private final String defaultCommandLine;

    KernelFormat(Architecture architecture, String defaultCommandLine) {
        this.architecture = architecture;
        this.defaultCommandLine = defaultCommandLine;
    }

    public Architecture architecture() {
        return architecture;
    }

    /** What {@code --append} is if it is not given. */
    public String defaultCommandLine() {
        return defaultCommandLine;
    }

    /** As the plan and {@code --format} have it. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Optional<KernelFormat> of(String word) {
        return Arrays.stream(values()).filter(format -> format.word().equals(word)).findFirst();
    }

    /** The words, for a sentence. */
    public static String words() {
        return Arrays.stream(values()).map(KernelFormat::word).collect(Collectors.joining(", "));
    }
}
