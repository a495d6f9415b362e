package org.backplane.launcher.kernel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * A kernel as far as can be told from its file.
 *
 * @param end what it needs of memory while it runs, from the start of memory, in bytes
 * @param commandLine the most bytes that its command line can have, the final 0 not counted
 */
public record KernelImage(KernelFormat format, long end, int commandLine) {
    /**
     * Linux, {@code arch/x86/include/asm/setup.h}: COMMAND_LINE_SIZE, without the final 0; no
     * kernel takes more.
     */
    public static final int X86_COMMAND_LINE = 2047;

    private static final String WANTED =
            "a riscv64 Linux Image, an x86-64 bzImage, an x86-64 ELF file with a PVH note, or a"
                    + " multiboot-1 file";

    /**
     * Looks at a file.
     *
     * @param told what the user says that it is
     * @throws IOException with a clause for the user if the file cannot be read or is no kernel
     */
    public static KernelImage read(Path file, Optional<KernelFormat> told) throws IOException {
        if (!Files.exists(file)) {
            throw new IOException("there is no such file; give the path of a kernel");
        }
        if (!Files.isRegularFile(file)) {
            throw new IOException("this is not a file; give the path of a kernel");
        }
        if (!Files.isReadable(file)) {
            throw new IOException("it cannot be read by this user; change its mode or owner");
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            KernelBytes bytes = new KernelBytes(channel);
            return told.isPresent() ? as(told.get(), bytes) : found(bytes);
        }
    }

    private static KernelImage found(KernelBytes file) throws IOException {
        ByteBuffer start = file.read(0, Start.LENGTH);
        if (RiscvHeader.isIn(start)) {
            return RiscvHeader.image(file);
        }
        if (SetupHeader.isIn(start)) {
            return SetupHeader.image(file);
        }
        Optional<ElfKernel> elf = ElfKernel.in(file);
        if (elf.isPresent() && elf.get().hasPvhEntry()) {
            return elf.get().image(KernelFormat.PVH);
        }
        Optional<MultibootHeader> multiboot = MultibootHeader.in(file);
        if (multiboot.isPresent()) {
            return multiboot.get().image(elf);
        }
        throw new IOException(
                "this is no kernel that can be started but "
                        + Start.guess(file, elf)
                        + "; give "
                        + WANTED);
    }

    private static KernelImage as(KernelFormat format, KernelBytes file) throws IOException {
        ByteBuffer start = file.read(0, Start.LENGTH);
        Optional<ElfKernel> elf = ElfKernel.in(file);
        return switch (format) {
            case RISCV -> RiscvHeader.isIn(start) ? RiscvHeader.image(file) : refuse(format, file);
            case LINUX -> SetupHeader.isIn(start) ? SetupHeader.image(file) : refuse(format, file);
            case PVH ->
                    elf.isPresent() && elf.get().hasPvhEntry()
                            ? elf.get().image(KernelFormat.PVH)
                            : refuse(format, file);
            case MULTIBOOT -> {
                Optional<MultibootHeader> header = MultibootHeader.in(file);
                yield header.isPresent() ? header.get().image(elf) : refuse(format, file);
            }
            case FLAT -> FlatImage.image(file);
        };
    }

    private static KernelImage refuse(KernelFormat format, KernelBytes file) throws IOException {
        throw new IOException(
                "it is not of the format '"
                        + format.word()
                        + "' that --format says but "
                        + Start.guess(file, ElfKernel.in(file))
                        + "; leave --format out, or give another file");
    }
}
