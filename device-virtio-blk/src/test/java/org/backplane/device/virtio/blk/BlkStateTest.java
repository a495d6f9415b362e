package org.backplane.device.virtio.blk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.testkit.GoldenState;
import org.junit.jupiter.api.Test;

class BlkStateTest {
    static final String FILE = "virtio-blk-v1.properties";
    static final SavedState GOLDEN = GoldenState.read(BlkStateTest.class, FILE);

    @Test
    void writesAndReadsVersionOne() throws DeviceException {
        BlkState state = new BlkState(128, false);
        GoldenState.requireSame(BlkStateTest.class, FILE, state.saved());
        assertEquals(state, BlkState.of(GOLDEN, 128));
    }

    @Test
    void ignoresUnknownNamesAndGivesDefaultsForMissingOnes() throws DeviceException {
        SavedState other = SavedState.of("virtio-blk", 1).number("colour", 3).build();
        assertEquals(new BlkState(77, true), BlkState.of(other, 77));
    }

    @Test
    void refusesWhatIsNotItsOwn() {
        assertThrows(
                DeviceException.class,
                () -> BlkState.of(SavedState.of("virtio-net", 1).build(), 128));
        assertThrows(
                DeviceException.class,
                () -> BlkState.of(SavedState.of("virtio-blk", 2).build(), 128));
        DeviceException refused =
                assertThrows(DeviceException.class, () -> BlkState.of(GOLDEN, 256));
        assertEquals(
                "The state of 'virtio-blk', version 1, is of a disk of 128 sectors, and the image has 256; give it the image that it was saved with.",
                refused.getMessage());
    }
}
