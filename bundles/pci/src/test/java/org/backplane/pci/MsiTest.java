package org.backplane.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class MsiTest {
    private static final int AT = 0x50;

    private final List<String> messages = new ArrayList<>();
    private boolean busMaster = true;
    private ConfigSpace space;

    private Msi msi(int vectors, boolean wide, boolean maskable) {
        MsiLayout layout = new MsiLayout(vectors, wide, maskable);
        space = new ConfigSpace(fresh -> layout.define(fresh, AT));
        return new Msi(
                layout,
                space,
                AT,
                (address, data) -> messages.add("%x=%x".formatted(address, data)),
                () -> busMaster);
    }

    /** As a guest grants 2^exponent messages. */
    private void enable(int exponent) {
        space.write(AT + MsiLayout.CONTROL, 2, 1 | exponent << 4);
    }

    @Test
    void theLayoutFollowsWhatTheFunctionCan() {
        assertEquals(12, new MsiLayout(1, false, false).length());
        assertEquals(16, new MsiLayout(1, true, false).length());
        assertEquals(20, new MsiLayout(1, false, true).length());
        assertEquals(24, new MsiLayout(1, true, true).length());
        msi(8, true, true);
        assertEquals(0x0186, space.read(AT + MsiLayout.CONTROL, 2));
        space.write(AT + MsiLayout.ADDRESS, 4, -1);
        assertEquals(0xffff_fffcL, space.read(AT + MsiLayout.ADDRESS, 4));
        space.write(AT + 16, 4, -1);
        assertEquals(0xff, space.read(AT + 16, 4), "mask bits of 8 vectors");
        space.write(AT + 20, 4, -1);
        assertEquals(0, space.read(AT + 20, 4), "pending bits are read-only");
        assertThrows(IllegalArgumentException.class, () -> new MsiLayout(3, true, true));
        assertThrows(IllegalArgumentException.class, () -> new MsiLayout(64, true, true));
    }

    @Test
    void theVectorIsInTheLowBitsOfTheData() {
        Msi msi = msi(8, true, false);
        space.write(AT + MsiLayout.ADDRESS, 4, 0xfee0_0000L);
        space.write(AT + MsiLayout.UPPER_ADDRESS, 4, 1);
        space.write(AT + 12, 2, 0x4047);
        enable(3);
        msi.signal(5);
        enable(1);
        msi.signal(5);
        enable(0);
        msi.signal(5);
        assertEquals(List.of("1fee00000=4045", "1fee00000=4047", "1fee00000=4047"), messages);
    }

    @Test
    void aNarrowCapabilityHasItsDataAtEight() {
        Msi msi = msi(1, false, false);
        space.write(AT + MsiLayout.ADDRESS, 4, 0x2800_0000L);
        space.write(AT + 8, 2, 7);
        enable(0);
        msi.signal(0);
        assertEquals(List.of("28000000=7"), messages);
    }

    @Test
    void maskedRequestsStayPendingAndLeaveOnceUnmasked() {
        Msi msi = msi(2, true, true);
        enable(1);
        space.write(AT + 16, 4, 0b10);
        assertTrue(msi.open(0));
        assertFalse(msi.open(1));
        msi.signal(1);
        msi.signal(1);
        assertEquals(List.of(), messages);
        assertEquals(0b10, space.read(AT + 20, 4));
        space.write(AT + 16, 4, 0);
        msi.changed();
        msi.changed();
        assertEquals(List.of("0=1"), messages);
        assertEquals(0, space.read(AT + 20, 4));
    }

    @Test
    void withoutBusMasteringRequestsArePendingIfTheyCanBe() {
        busMaster = false;
        Msi msi = msi(1, true, true);
        enable(0);
        msi.signal(0);
        busMaster = true;
        msi.changed();
        assertEquals(List.of("0=0"), messages);
        busMaster = false;
        Msi plain = msi(1, true, false);
        enable(0);
        plain.signal(0);
        busMaster = true;
        plain.changed();
        assertEquals(1, messages.size(), "there is nowhere to keep it");
    }

    @Test
    void switchedOffItForgets() {
        Msi msi = msi(1, true, true);
        msi.signal(0);
        enable(0);
        space.write(AT + 16, 4, 1);
        msi.signal(0);
        space.write(AT + MsiLayout.CONTROL, 2, 0);
        msi.changed();
        space.write(AT + 16, 4, 0);
        enable(0);
        msi.changed();
        assertEquals(List.of(), messages);
    }
}
