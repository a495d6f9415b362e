package org.backplane.launcher.option;

import java.util.Optional;

/**
 * The board and how large its windows of PCI are to be, as written; empty where not given.
 *
 * @param board its name
 * @param mmio32 for BARs of 32 bits
 * @param mmio64 for BARs of 64 bits
 */
public record WindowOptions(
        Optional<String> board, Optional<String> mmio32, Optional<String> mmio64) {
    public static final WindowOptions NONE =
            new WindowOptions(Optional.empty(), Optional.empty(), Optional.empty());
}
