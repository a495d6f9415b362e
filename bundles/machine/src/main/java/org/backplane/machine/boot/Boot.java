package org.backplane.machine.boot;

import java.nio.file.Path;
import java.util.Optional;

/**
 * What a loader is given.
 *
 * @param ram the board's own places in it are taken
 * @param rsdp guest address of ACPI's root pointer; 0 if there is none
 */
public record Boot(
        Optional<Path> initrd, String commandLine, GuestRam ram, MemoryMap map, long rsdp) {}
