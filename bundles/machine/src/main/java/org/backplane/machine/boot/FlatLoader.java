package org.backplane.machine.boot;

import org.backplane.hypervisor.X86Entry;
import org.backplane.machine.MachineException;

/**
 * A flat 16-bit image, without a header: it lies at 1000:0000 and begins there in real-address
 * mode, its stack at 1000:8000.
 */
final class FlatLoader implements Loader {
    private static final int SEGMENT = 0x1000;
    private static final int STACK = 0x8000;
    private static final int PARAGRAPH = 16;

    /** Real-address mode has 256 vectors of offset and segment from address 0. */
    private static final int VECTORS = 256;

    private static final byte IRET = (byte) 0xcf;

    @Override
    public X86Entry load(ImageFile kernel, Boot boot) throws MachineException {
        if (boot.initrd().isPresent()) {
            throw new MachineException(
                    "A flat image takes no initrd: leave out '%s'.".formatted(boot.initrd().get()));
        }
        if (kernel.size() == 0) {
            throw kernel.refused("it is empty; take another");
        }
        GuestRam ram = boot.ram();
        long base = (long) SEGMENT * PARAGRAPH;
        ram.take(kernel, "image", base, kernel.size());
        kernel.copy("image", 0, kernel.size(), ram.host(base, kernel.size()));
        // An interrupt that the image has no handler for must not begin to execute at 0000:0000.
        long handler = ram.putLow("interrupt handler", new byte[] {IRET}, PARAGRAPH);
        byte[] vectors = new byte[VECTORS * Integer.BYTES];
        for (int at = 0; at < vectors.length; at += Integer.BYTES) {
            vectors[at + 2] = (byte) (handler / PARAGRAPH);
            vectors[at + 3] = (byte) (handler / PARAGRAPH >> 8);
        }
        ram.putVectors(vectors);
        return new X86Entry.RealMode(SEGMENT, 0, STACK);
    }
}
