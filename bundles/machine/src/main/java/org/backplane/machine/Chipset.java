package org.backplane.machine;

import java.util.List;
import org.backplane.machine.board.Board;
import org.backplane.machine.slot.SlotSpec;

/** The platform devices that a board always has, as slots like any other. */
final class Chipset {
    private static final String SOURCE = "the board";

    private Chipset() {}

    static List<SlotSpec> slots(Board board, String console) {
        return board.platformSlots(console).stream()
                .map(slot -> new SlotSpec(slot.name(), slot.kind(), slot.settings(), SOURCE))
                .toList();
    }
}
