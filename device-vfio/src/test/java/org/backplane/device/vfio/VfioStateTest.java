package org.backplane.device.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.backplane.device.DeviceException;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.backplane.testkit.GoldenState;
import org.junit.jupiter.api.Test;

class VfioStateTest {
    private static final String GOLDEN = "vfio-v1.properties";

    private static SavedState.Builder state() {
        return SavedState.of(VfioState.SCHEMA, VfioState.VERSION);
    }

    private static String refusal(SavedState state) {
        return assertThrows(DeviceException.class, () -> VfioState.of(state)).getMessage();
    }

    @Test
    void savesWhatVersionOneDid() throws Exception {
        try (var plugged = new Plugged(PlayedDevice.nvme())) {
            plugged.on();
            plugged.config(0x42, 2, 0x8000);
            for (int vector : new int[] {0, 1, 3}) {
                plugged.program(0x2000, vector, false);
            }
            GoldenState.requireSame(VfioStateTest.class, GOLDEN, plugged.save());
        }
    }

    @Test
    void readsWhatItSaves() throws Exception {
        SavedState golden = GoldenState.read(VfioStateTest.class, GOLDEN);
        assertEquals(golden, VfioState.of(golden).saved());
    }

    @Test
    void refusesVectorsBeyondThoseThatAreOn() {
        assertEquals(
                "The state of 'vfio', version 1, is damaged or of another device: vector 4 is used, and there are 4.",
                refusal(
                        state().number("kind", 3)
                                .number("vectors", 4)
                                .bytes("used", new byte[] {16})
                                .build()));
    }

    @Test
    void refusesAKindThatTheFunctionDoesNotHave() throws Exception {
        try (var plugged = new Plugged(PlayedDevice.nvme())) {
            SavedState msi = state().number("kind", 2).number("vectors", 1).build();
            DeviceException refusal =
                    assertThrows(
                            DeviceException.class,
                            () ->
                                    ((SaveSupport.Saveable) plugged.device.saveSupport())
                                            .restorer()
                                            .restore(msi));
            assertTrue(
                    refusal.getMessage()
                            .endsWith("1 vectors of MSI are on, and the function has 0."),
                    refusal.getMessage());
        }
    }

    @Test
    void tellsWhyAMachineWithItCannotBeSaved() throws Exception {
        try (var plugged = new Plugged(PlayedDevice.nvme())) {
            assertEquals(
                    "0000:01:00.0 is outside of the machine and keeps a state that cannot be read; unplug it first",
                    ((SaveSupport.Saveable) plugged.device.saveSupport()).bound().orElseThrow());
        }
    }
}
