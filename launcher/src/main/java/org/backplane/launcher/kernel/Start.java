package org.backplane.launcher.kernel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;

/** The beginning of a file that is taken for a kernel, and what it betrays. */
final class Start {
    /** Bytes that the headers at fixed places take. */
    static final int LENGTH = 0x264;

    private static final int ZBOOT_AT = 4;
    private static final int ZBOOT = 0x676d697a;
    private static final int ARM64_AT = 0x38;
    private static final int ARM64 = 0x644d5241;
    private static final int SMALLEST = 0x40;

    private Start() {}

    /**
     * @throws IOException with a clause for the user if the file is shorter
     */
    static void requireWhole(KernelBytes file, long length) throws IOException {
        if (length < 0 || file.size() < length) {
            throw new IOException(
                    "it is cut short: it has "
                            + file.size()
                            + " bytes of the "
                            + Long.toUnsignedString(length)
                            + " that its headers tell of; copy or fetch it again");
        }
    }

    /** What a file seems to be that is not what was wanted. */
    static String guess(KernelBytes file, Optional<ElfKernel> elf) throws IOException {
        ByteBuffer start = file.read(0, LENGTH);
        if (start.limit() == 0) {
            return "an empty file";
        }
        if (elf.isPresent()) {
            return guess(file, elf.get());
        }
        if (start.limit() < SMALLEST) {
            return "a file of " + start.limit() + " bytes";
        }
        if (RiscvHeader.isIn(start)) {
            return "a riscv64 Linux Image";
        }
        if (SetupHeader.isIn(start)) {
            return "an x86 Linux kernel";
        }
        if (MultibootHeader.in(file).isPresent()) {
            return "a file with a multiboot-1 header";
        }
        if (start.getInt(ZBOOT_AT) == ZBOOT) {
            return "an EFI zboot image, a compressed kernel that unpacks itself under EFI";
        }
        if (start.getInt(ARM64_AT) == ARM64) {
            return "an arm64 kernel";
        }
        return Compression.of(start)
                .map(kind -> "a file compressed with " + kind + ", which is to be unpacked first")
                .orElse("something else");
    }

    private static String guess(KernelBytes file, ElfKernel elf) throws IOException {
        if (elf.isX86()) {
            elf.requireSegments();
            return (elf.wide() ? "a 64-bit" : "a 32-bit") + " x86 ELF file " + entries(file, elf);
        }
        return switch (elf.machine()) {
            case ElfKernel.EM_RISCV -> "a RISC-V ELF file; Linux has the Image beside its vmlinux";
            case ElfKernel.EM_AARCH64 -> "an arm64 ELF file";
            default -> "an ELF file for another processor";
        };
    }

    private static String entries(KernelBytes file, ElfKernel elf) throws IOException {
        if (elf.hasPvhEntry()) {
            return "with a PVH note";
        }
        if (MultibootHeader.in(file).isPresent()) {
            return "with a multiboot-1 header";
        }
        return "without "
                + (elf.wide() ? "a PVH note (Linux: CONFIG_PVH)" : "a multiboot-1 header")
                + (MultibootHeader.isOfSecond(file)
                        ? " whose multiboot header is of the second specification"
                        : "");
    }
}
