package org.backplane.machine.board;

import java.util.Locale;
import java.util.Optional;

/** How a kernel is put into memory and entered, in the plan's words. */
public enum KernelFormat {
    /** Linux, Documentation/arch/riscv/boot-image-header.rst. */
    RISCV("riscv64", true),
    /** A bzImage, entered in 64-bit mode (Linux, Documentation/arch/x86/boot.rst). */
    LINUX("x86_64", true),
    /** An ELF file with a note of its entry (Xen, docs/misc/pvh.pandoc). */
    PVH("x86_64", true),
    /** What the Multiboot specification 0.6.96 describes. */
    MULTIBOOT("x86_64", false),
    /** Code for real mode, without a header. */
    FLAT("x86_64", false);

    private final String architecture;
    private final boolean system;

    KernelFormat(String architecture, boolean system) {
        this.architecture = architecture;
        this.system = system;
    }

    /**
     * The format that a plan or a snapshot names; empty if it names none.
     *
     * @throws IllegalArgumentException there is no such format
     */
    public static Optional<KernelFormat> named(String word) {
        return word.isEmpty()
                ? Optional.empty()
                : Optional.of(valueOf(word.toUpperCase(Locale.ROOT)));
    }

    /** As the plan and snapshots have it. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Of the processors that run it, in the kernel's words: {@code riscv64}, {@code x86_64}. */
    public String architecture() {
        return architecture;
    }

    /** Whether it is an operating system's format, which wants all that a processor has. */
    public boolean isSystem() {
        return system;
    }
}
