package org.backplane.machine.slot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.backplane.device.Device;
import org.backplane.device.DeviceFactory;
import org.backplane.device.context.DeviceContext;
import org.backplane.machine.MachineException;
import org.backplane.machine.SlotState;
import org.backplane.machine.slot.CounterDevice.Factory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a device gets that asks for a line by number, and for the end of the process. */
@Timeout(60)
class NamedLineTest {
    private static final int SOURCE = 17;

    private CounterSlot rig;
    private DeviceContext context;

    @BeforeEach
    void make() throws Exception {
        rig = new CounterSlot();
    }

    @AfterEach
    void close() throws Exception {
        rig.close();
    }

    private DeviceFactory wired(int source) {
        return given -> {
            context = given;
            Device device = new Factory(1, null).create(given);
            given.line(source).set(true);
            return device;
        };
    }

    private List<Integer> sources() {
        return rig.slot().platformDevice().orElseThrow().lines();
    }

    @Test
    void deviceDrivesTheLineOfTheNumberItAskedFor() throws Exception {
        rig.slot().fill(rig.code().offer("counter", wired(SOURCE)));
        assertEquals(SOURCE, sources().get(1));
        assertTrue(rig.lineIsHigh());
    }

    @Test
    void nextVersionHasTheSameLine() throws Exception {
        rig.slot().fill(rig.code().offer("counter", wired(SOURCE)));
        rig.slot().swap(rig.code().offer("counter", wired(SOURCE)), false);
        assertEquals(SOURCE, sources().get(1));
        assertTrue(rig.lineIsHigh());
    }

    @Test
    void nextVersionThatWantsAnotherLineIsRefused() throws Exception {
        rig.slot().fill(rig.code().offer("counter", wired(SOURCE)));
        String refusal =
                assertThrows(
                                MachineException.class,
                                () ->
                                        rig.slot()
                                                .swap(
                                                        rig.code()
                                                                .offer(
                                                                        "counter",
                                                                        wired(SOURCE + 1)),
                                                        false))
                        .getMessage();
        assertTrue(refusal.contains("is 17, the new device wants 18"), refusal);
        assertEquals(SlotState.RUNNING, rig.slot().state());
    }

    @Test
    void lineOfThePciPinsIsNoDevices() throws Exception {
        String refusal =
                assertThrows(
                                MachineException.class,
                                () -> rig.slot().fill(rig.code().offer("counter", wired(1))))
                        .getMessage();
        assertTrue(refusal.contains("interrupt line 1 cannot be that of 'c0'"), refusal);
    }

    @Test
    void exitReachesTheMachineWithItsStatus() throws Exception {
        rig.slot().fill(rig.code().offer("counter", wired(SOURCE)));
        context.exit(33);
        assertEquals(List.of(33), rig.code().exits);
    }
}
