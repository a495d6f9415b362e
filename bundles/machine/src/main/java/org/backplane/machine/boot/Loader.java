package org.backplane.machine.boot;

import org.backplane.hypervisor.X86Entry;
import org.backplane.machine.MachineException;

/** The boot protocol of one kind of x86 kernel. */
interface Loader {
    /**
     * Puts the kernel, what goes with it and the protocol's tables into RAM.
     *
     * @return how the first processor begins
     * @throws MachineException the file is none of this kind, or damaged, or does not fit
     */
    X86Entry load(ImageFile kernel, Boot boot) throws MachineException;
}
