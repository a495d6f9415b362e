package org.backplane.machine.slot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** What a slot tells of what its device threw. */
class OccupantTest {
    @Test
    void memoryThatWasCutOffIsToldAsThat() {
        String sentence =
                Occupant.sentence(
                        new InternalError(
                                "a fault occurred in a recent unsafe memory access operation in compiled Java code"));
        assertTrue(
                sentence.startsWith(
                        "memory that it shares with another process or has of a file was cut off"),
                sentence);
        assertTrue(sentence.contains("see that its owner keeps it"), sentence);
    }

    @Test
    void otherErrorsOfTheVirtualMachineAreToldAsTheyAre() {
        assertEquals(
                "java.lang.InternalError: no more",
                Occupant.sentence(new InternalError("no more")));
    }
}
