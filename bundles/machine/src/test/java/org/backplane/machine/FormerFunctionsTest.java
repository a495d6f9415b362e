package org.backplane.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** What a guest without hot-plug is to be told by hand. */
class FormerFunctionsTest {
    private static final String RESCAN = "echo 1 > /sys/bus/pci/rescan";

    private final FormerFunctions former = new FormerFunctions();

    @Test
    void aPlaceThatWasEmptyOnlyHasToBeLookedAt() {
        assertEquals("the guest finds it by: " + RESCAN, former.toFind("00:01.0"));
    }

    @Test
    void aPlaceThatIsTakenAgainHasToBeForgottenFirst() {
        assertEquals(
                "if the guest still lists it, let it forget it: echo 1 > /sys/bus/pci/devices/0000:00:01.0/remove",
                former.left("00:01.0"));
        assertEquals(
                "the guest finds it by: echo 1 > /sys/bus/pci/devices/0000:00:01.0/remove (if it still lists the former device), then "
                        + RESCAN,
                former.toFind("00:01.0"));
        assertEquals("the guest finds it by: " + RESCAN, former.toFind("00:02.0"));
    }

    @Test
    void aGuestThatBeginsAnewListsNothingOfBefore() {
        former.left("00:01.0");
        former.forget();
        assertEquals("the guest finds it by: " + RESCAN, former.toFind("00:01.0"));
    }
}
