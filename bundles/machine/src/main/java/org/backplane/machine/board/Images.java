package org.backplane.machine.board;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.backplane.machine.MachineException;

/**
 * What is loaded at every boot.
 *
 * @param initrd initial RAM disk, or the first module of a kernel that takes modules
 * @param format {@code linux}, {@code pvh}, {@code multiboot}, {@code flat} or {@code riscv}; empty
 *     to tell it from the kernel's content
 */
public record Images(Path kernel, Optional<Path> initrd, String commandLine, String format) {
    /**
     * What a machine boots from may have gone while it ran, or before it was restored.
     *
     * @throws MachineException something is not there
     */
    public void requireReadable() throws MachineException {
        List<Path> files = Stream.concat(Stream.of(kernel), initrd.stream()).toList();
        for (Path file : files) {
            if (!Files.isReadable(file)) {
                throw new MachineException(
                        "The guest cannot boot again: '%s' is not there any more; put it back."
                                .formatted(file));
            }
        }
    }
}
