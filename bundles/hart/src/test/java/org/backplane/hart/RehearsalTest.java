package org.backplane.hart;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class RehearsalTest {
    @Test
    @Timeout(60)
    void executesEveryOperationOfTheLoopAndEnds() throws Exception {
        Rehearsal rehearsal = new Rehearsal();
        rehearsal.run();
        List<Integer> missing = new ArrayList<>();
        for (int op = 1; op <= Op.MULHU; op++) {
            if (!rehearsal.holds(op)) {
                missing.add(op);
            }
        }
        assertTrue(missing.isEmpty(), "operations " + missing);
    }
}
