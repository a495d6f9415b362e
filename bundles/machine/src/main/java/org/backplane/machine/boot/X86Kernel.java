package org.backplane.machine.boot;

import java.util.Arrays;
import java.util.stream.Collectors;
import org.backplane.hypervisor.X86Entry;
import org.backplane.machine.MachineException;

/** The kinds of kernels that an x86 board boots, by the word for each. */
public enum X86Kernel {
    LINUX(new LinuxLoader()),
    PVH(new PvhLoader()),
    MULTIBOOT(new MultibootLoader()),
    FLAT(new FlatLoader());

    private final Loader loader;

    X86Kernel(Loader loader) {
        this.loader = loader;
    }

    private String word() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }

    /**
     * Which kind it is.
     *
     * @param format the word that the user gave; empty to tell it from the content, which a flat
     *     image does not tell
     */
    public static X86Kernel of(ImageFile kernel, String format) throws MachineException {
        if (!format.isEmpty()) {
            return Arrays.stream(values())
                    .filter(kind -> kind.word().equals(format))
                    .findFirst()
                    .orElseThrow(
                            () ->
                                    kernel.refused(
                                            "'%s' is no format of a kernel for x86-64; give --format one of %s"
                                                    .formatted(format, words())));
        }
        if (LinuxLoader.recognises(kernel)) {
            return LINUX;
        }
        if (PvhLoader.recognises(kernel)) {
            return PVH;
        }
        if (MultibootLoader.recognises(kernel)) {
            return MULTIBOOT;
        }
        throw kernel.refused(
                "it is no bzImage, no ELF with a PVH note and has no Multiboot header; take a kernel for x86-64, or give --format flat if it is a flat 16-bit image");
    }

    private static String words() {
        return Arrays.stream(values()).map(X86Kernel::word).collect(Collectors.joining(", "));
    }

    /** As {@link Loader#load}. */
    public X86Entry load(ImageFile kernel, Boot boot) throws MachineException {
        return loader.load(kernel, boot);
    }
}
