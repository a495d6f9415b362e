package org.backplane.machine;

import java.util.List;
import java.util.Map;
import org.backplane.machine.slot.SlotSpec;

/** The platform devices that every RISC-V board has, as slots like any other. */
final class Chipset {
    private static final String SOURCE = "the board";

    private Chipset() {}

    static List<SlotSpec> slots(String console) {
        return List.of(
                new SlotSpec(
                        "uart0",
                        "ns16550a",
                        Map.of("base", "0x10000000", "console", console),
                        SOURCE),
                new SlotSpec("rtc0", "goldfish-rtc", Map.of("base", "0x101000"), SOURCE),
                new SlotSpec("power0", "power", Map.of("base", "0x100000"), SOURCE));
    }
}
