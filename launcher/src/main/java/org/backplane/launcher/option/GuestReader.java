package org.backplane.launcher.option;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import org.backplane.launcher.kernel.Architecture;
import org.backplane.launcher.kernel.KernelFormat;
import org.backplane.launcher.kernel.KernelImage;

/** Reads the options that say what is started and with what: kernel, memory, processors. */
final class GuestReader {
    private static final String DEFAULT_MEMORY = "512M";
    private static final long PAGE = 4096;

    /** For the tables of the board and what the kernel allocates before it can say anything. */
    private static final long WORKING_ROOM = 16L << 20;

    private final HostMemory hostMemory;
    private final Problems problems;

    GuestReader(HostMemory hostMemory, Problems problems) {
        this.hostMemory = hostMemory;
        this.problems = problems;
    }

    /**
     * What there is to start.
     *
     * @param format absent with the kernel
     * @param memory in bytes
     */
    record Guest(
            Optional<Path> kernel,
            Optional<KernelFormat> format,
            Optional<Path> initrd,
            String append,
            long memory,
            int cpus,
            WindowPlan windows) {}

    /** As far as the options are right; what is wrong was added to the problems. */
    Guest read(RunOptions options, EngineChoice engine) throws IOException {
        Optional<KernelFormat> told = format(options.engine().format());
        Optional<Path> kernel =
                options.kernel().flatMap(text -> PlanReader.path("--kernel", text, problems));
        Optional<KernelImage> image =
                kernel.flatMap(path -> image(path, told, options.kernel().orElseThrow()));
        Optional<KernelFormat> format = image.map(KernelImage::format);
        format.ifPresent(known -> engine.refuseOther(kernel.orElseThrow(), known, problems));
        Optional<Path> initrd = options.initrd().flatMap(this::initrd);
        if (format.equals(Optional.of(KernelFormat.FLAT))) {
            refuseWithFlat("--initrd", options.initrd());
            refuseWithFlat("--append", options.append());
            initrd = Optional.empty();
        }
        return new Guest(
                kernel,
                format,
                initrd,
                append(options.append(), image),
                memory(options.memory().orElse(DEFAULT_MEMORY), image, initrd),
                cpus(options.cpus().orElse("1"), format),
                WindowPlan.read(options.windows(), architecture(format), problems));
    }

    private Optional<KernelFormat> format(Optional<String> word) {
        if (word.isEmpty() || word.get().equals(EngineChoice.AUTO)) {
            return Optional.empty();
        }
        Optional<KernelFormat> format = KernelFormat.of(word.get());
        if (format.isEmpty()) {
            problems.add(
                    "--format",
                    word.get(),
                    "give one of: " + EngineChoice.AUTO + ", " + KernelFormat.words());
        }
        return format;
    }

    private Optional<KernelImage> image(Path file, Optional<KernelFormat> told, String text) {
        try {
            return Optional.of(KernelImage.read(file, told));
        } catch (IOException e) {
            problems.add("--kernel", text, e.getMessage());
            return Optional.empty();
        }
    }

    private void refuseWithFlat(String option, Optional<String> given) {
        given.ifPresent(
                value -> problems.add(option, value, "a flat image is given none; leave it out"));
    }

    private Optional<Path> initrd(String text) {
        Optional<Path> path = PlanReader.path("--initrd", text, problems);
        if (path.isEmpty()) {
            return path;
        }
        if (!Files.exists(path.get())) {
            problems.add("--initrd", text, "there is no such file; give the path of an initramfs");
        } else if (!Files.isRegularFile(path.get())) {
            problems.add("--initrd", text, "this is not a file; give the path of an initramfs");
        } else if (!Files.isReadable(path.get())) {
            problems.add(
                    "--initrd", text, "it cannot be read by this user; change its mode or owner");
        } else {
            return path;
        }
        return Optional.empty();
    }

    private String append(Optional<String> given, Optional<KernelImage> image) {
        KernelFormat format = image.map(KernelImage::format).orElse(KernelFormat.RISCV);
        String append = given.orElse(format.defaultCommandLine());
        int length = append.getBytes(StandardCharsets.UTF_8).length;
        int most = image.map(KernelImage::commandLine).orElse(KernelImage.X86_COMMAND_LINE);
        if (length > most && format != KernelFormat.FLAT) {
            problems.add(
                    "--append",
                    append.substring(0, Math.min(append.length(), 20)) + "...",
                    "it has " + length + " bytes; the kernel takes at most " + most);
        }
        if (append.chars().anyMatch(c -> c < ' ' || c == 0x7f)) {
            problems.add("--append holds a control character; give one line of plain text");
        }
        return append;
    }

    private long memory(String text, Optional<KernelImage> image, Optional<Path> initrd)
            throws IOException {
        OptionalLong size = Size.parse(text);
        if (size.isEmpty() || size.getAsLong() == 0) {
            problems.add(
                    "--memory", text, "this is no size; give a number with K, M or G, as in 512M");
            return 0;
        }
        long bytes = size.getAsLong();
        long available = hostMemory.available();
        Architecture architecture = architecture(image.map(KernelImage::format));
        if (bytes > architecture.mostMemory()) {
            problems.add(
                    "--memory",
                    text,
                    "a machine for "
                            + architecture.word()
                            + " has at most "
                            + Size.format(architecture.mostMemory())
                            + "; give at most that");
        } else if (bytes > available) {
            problems.add(
                    "--memory",
                    text,
                    "it does not fit this host, which has "
                            + Size.format(available >> 20 << 20)
                            + " available; give at most that");
        }
        long initrdSize = initrd.isPresent() ? Files.size(initrd.get()) : 0;
        long least = image.map(KernelImage::end).orElse(0L) + 2 * initrdSize + room(image);
        if (bytes < least) {
            long wanted = (least + (1 << 20) - 1) >> 20 << 20;
            problems.add(
                    "--memory",
                    text,
                    "it is too small for "
                            + (initrd.isPresent()
                                    ? "the kernel, the initramfs and its contents"
                                    : "the kernel")
                            + "; give at least "
                            + Size.format(wanted)
                            + (text.matches("\\d{2,6}") && bytes << 20 >= least
                                    ? ", or did you mean " + text + "M?"
                                    : ""));
        } else if (bytes % PAGE != 0) {
            problems.add("--memory", text, "it is not a multiple of 4K; give one, as in 512M");
        }
        return bytes;
    }

    /** Small programs need none: they are what they are. */
    private static long room(Optional<KernelImage> image) {
        boolean small =
                image.map(KernelImage::format)
                        .filter(
                                format ->
                                        format == KernelFormat.MULTIBOOT
                                                || format == KernelFormat.FLAT)
                        .isPresent();
        return small ? 1 << 20 : WORKING_ROOM;
    }

    private int cpus(String text, Optional<KernelFormat> format) {
        int most = architecture(format).mostProcessors();
        if (text.matches("\\d{1,4}")) {
            int cpus = Integer.parseInt(text);
            if (cpus >= 1 && cpus <= most) {
                return cpus;
            }
        }
        problems.add("--cpus", text, "give a number of processors from 1 to " + most);
        return 1;
    }

    private static Architecture architecture(Optional<KernelFormat> format) {
        return format.map(KernelFormat::architecture).orElse(Architecture.RISCV64);
    }
}
