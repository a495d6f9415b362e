package org.backplane.machine.slot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.backplane.device.Device;
import org.backplane.device.PowerButton;
import org.backplane.device.state.SaveSupport;
import org.backplane.machine.HistoryEntry;
import org.backplane.machine.MachineException;
import org.backplane.machine.SlotState;
import org.backplane.machine.processor.MachineThread;
import org.backplane.machine.slot.CounterDevice.Factory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A slot whose device has a power button, or none. */
@Timeout(60)
class PowerButtonTest {
    private final List<String> presses = new CopyOnWriteArrayList<>();
    private CounterSlot rig;

    @BeforeEach
    void make() throws Exception {
        rig = new CounterSlot();
    }

    @AfterEach
    void close() throws Exception {
        rig.close();
    }

    private record Button(String name, List<String> presses) implements Device, PowerButton {
        @Override
        public void press() {
            if (name.isEmpty()) {
                throw new IllegalStateException("it sticks");
            }
            assertTrue(Thread.currentThread() instanceof MachineThread);
            presses.add(name);
        }

        @Override
        public SaveSupport saveSupport() {
            return new SaveSupport.Stateless();
        }

        @Override
        public boolean idle() {
            return true;
        }

        @Override
        public void start() {}

        @Override
        public void quiesce() {}

        @Override
        public void resume() {}

        @Override
        public void reset() {}

        @Override
        public void close() {}
    }

    private Factories.Offer button(String name) {
        return rig.code().offer("counter", context -> new Button(name, presses));
    }

    private List<String> steps() {
        return rig.slot().history().stream().map(HistoryEntry::step).toList();
    }

    @Test
    void buttonIsPressedAndTheHistoryTells() throws Exception {
        rig.slot().fill(button("first"));
        assertTrue(rig.slot().press());
        assertEquals(List.of("first"), presses);
        assertTrue(steps().contains("power button"), steps().toString());
    }

    @Test
    void buttonIsThatOfTheLatestCode() throws Exception {
        rig.slot().fill(button("first"));
        rig.slot().swap(button("second"), false);
        assertTrue(rig.slot().press());
        assertEquals(List.of("second"), presses);
    }

    @Test
    void deviceWithoutAButtonIsNotAsked() throws Exception {
        rig.fill(new Factory(1, null));
        assertFalse(rig.slot().press());
        assertFalse(steps().contains("power button"), steps().toString());
    }

    @Test
    void slotWithoutADeviceHasNoButton() throws Exception {
        assertFalse(rig.slot().press());
    }

    @Test
    void buttonThatThrowsFailsItsSlot() throws Exception {
        rig.slot().fill(button(""));
        String told = assertThrows(MachineException.class, () -> rig.slot().press()).getMessage();
        assertTrue(told.contains("it sticks"), told);
        assertEquals(SlotState.FAILED, rig.slot().state());
    }
}
