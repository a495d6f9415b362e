package org.backplane.machine.boot;

import org.backplane.hypervisor.X86Entry;
import org.backplane.machine.MachineException;

/** The kinds of kernels that an x86 board boots. */
public enum X86Kernel {
    LINUX(new LinuxLoader()),
    PVH(new PvhLoader()),
    MULTIBOOT(new MultibootLoader()),
    FLAT(new FlatLoader());

    private final Loader loader;

    X86Kernel(Loader loader) {
        this.loader = loader;
    }

    /**
     * Which kind it is, by its content; a flat image has nothing to be known by.
     *
     * @throws MachineException it is none
     */
    public static X86Kernel recognised(ImageFile kernel) throws MachineException {
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

    /** As {@link Loader#load}. */
    public X86Entry load(ImageFile kernel, Boot boot) throws MachineException {
        return loader.load(kernel, boot);
    }
}
