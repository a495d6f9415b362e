package org.backplane.chipset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext.PowerRequest;
import org.backplane.device.state.SavedState;
import org.backplane.testkit.GoldenState;
import org.backplane.testkit.RecordedLine;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KeyboardControllerTest {
    static final String GOLDEN = "i8042-v1.properties";

    private static final int DATA = 0;
    private static final int CONTROL = 1;
    private static final int FULL = KeyboardRegisters.STATUS_OUTPUT_FULL;
    private static final int FROM_AUX = KeyboardRegisters.STATUS_AUX;
    private static final int TIME_OUT = KeyboardRegisters.STATUS_TIME_OUT;

    private Chip controller;

    @BeforeEach
    void plug() throws DeviceException {
        controller =
                Chip.started(new KeyboardControllerFactory(), Map.of("irq", "1", "aux-irq", "12"));
    }

    private int status() {
        return (int) controller.read(CONTROL, 0, 1);
    }

    private int data() {
        return (int) controller.read(DATA, 0, 1);
    }

    private void command(int value) {
        controller.write(CONTROL, 0, 1, value);
    }

    private void data(int value) {
        controller.write(DATA, 0, 1, value);
    }

    /** What a driver does that waits for an answer. */
    private int answer() {
        assertEquals(FULL, status() & FULL, "no answer");
        return data();
    }

    private void mode(int value) {
        command(KeyboardRegisters.WRITE_MEMORY);
        data(value);
    }

    private RecordedLine auxLine() {
        return controller.slot.lines().get(1);
    }

    @Test
    void hasThePortsAndLinesOfAPc() {
        assertEquals(0x60, controller.slot.regions().get(DATA).range().base());
        assertEquals(0x64, controller.slot.regions().get(CONTROL).range().base());
        assertEquals(1, controller.line().source());
        assertEquals(12, auxLine().source());
        assertEquals("PNP0303", controller.slot.nodes().get(0).hardwareId());
    }

    @Test
    void startsEmptyAndUnlocked() {
        assertEquals(KeyboardRegisters.STATUS_UNLOCKED | KeyboardRegisters.STATUS_SYSTEM, status());
    }

    /**
     * Linux' i8042_controller_selftest, _init and _flush: what it reads has to be what it wrote.
     */
    @Test
    void passesWhatADriverDoesInSearchOfAController() {
        command(KeyboardRegisters.SELF_TEST);
        assertEquals(0x55, answer());
        command(KeyboardRegisters.READ_MEMORY);
        int mode = answer();
        mode(mode | KeyboardRegisters.MODE_DISABLE & ~KeyboardRegisters.MODE_INTERRUPT);
        command(KeyboardRegisters.READ_MEMORY);
        assertEquals(mode | KeyboardRegisters.MODE_DISABLE, answer());
        assertEquals(0, status() & FULL);
        command(KeyboardRegisters.TEST_KEYBOARD);
        assertEquals(0, answer());
    }

    /** Linux' i8042_check_aux and i8042_check_mux. */
    @Test
    void passesWhatADriverDoesInSearchOfAnAuxiliaryPort() {
        for (int octet : new int[] {0xf0, 0x56, 0xa4, 0x5a}) {
            command(KeyboardRegisters.LOOP_AUX);
            data(octet);
            assertEquals(FULL | FROM_AUX, status() & (FULL | FROM_AUX));
            assertEquals(octet, data(), "a multiplexer would answer otherwise");
        }
        command(KeyboardRegisters.DISABLE_AUX);
        command(KeyboardRegisters.READ_MEMORY);
        assertTrue((answer() & KeyboardRegisters.MODE_AUX_DISABLE) != 0);
        command(KeyboardRegisters.ENABLE_AUX);
        command(KeyboardRegisters.READ_MEMORY);
        assertEquals(0, answer() & KeyboardRegisters.MODE_AUX_DISABLE);
    }

    @Test
    void loopInterruptsOnTheAuxiliaryLineOnly() {
        mode(KeyboardRegisters.MODE_AUX_INTERRUPT | KeyboardRegisters.MODE_INTERRUPT);
        command(KeyboardRegisters.LOOP_AUX);
        data(0xa5);
        assertTrue(auxLine().high());
        assertFalse(controller.line().high());
        assertEquals(0xa5, data());
        assertFalse(auxLine().high());
    }

    @Test
    void keyboardDoesNotAnswer() {
        mode(KeyboardRegisters.MODE_INTERRUPT);
        data(0xf2);
        assertTrue(controller.line().high());
        assertFalse(auxLine().high());
        assertEquals(FULL | TIME_OUT, status() & (FULL | FROM_AUX | TIME_OUT));
        assertEquals(0xfe, data());
        assertFalse(controller.line().high());
        assertEquals(0, status() & (FULL | TIME_OUT));
    }

    @Test
    void auxiliaryDeviceDoesNotAnswer() {
        command(KeyboardRegisters.WRITE_AUX);
        data(0xf2);
        assertEquals(FULL | FROM_AUX | TIME_OUT, status() & (FULL | FROM_AUX | TIME_OUT));
        assertEquals(0xfe, data());
        assertEquals(0, status() & (FULL | FROM_AUX | TIME_OUT));
    }

    @Test
    void interruptsOnlyWhenEnabled() {
        data(0xf2);
        assertFalse(controller.line().high());
        mode(KeyboardRegisters.MODE_INTERRUPT);
        assertTrue(controller.line().high());
    }

    @ParameterizedTest
    @ValueSource(ints = {0xfe, 0xf0, 0xfc})
    void pulseOnTheResetOutputReboots(int command) {
        command(command);
        assertEquals(List.of(PowerRequest.REBOOT), controller.slot.powerRequests());
    }

    @ParameterizedTest
    @ValueSource(ints = {0xff, 0xfd, 0xf1, 0x00, 0x1f, 0x80, 0xd5, 0xef})
    void otherCommandsDoNot(int command) {
        command(command);
        assertEquals(List.of(), controller.slot.powerRequests());
        assertEquals(0, status() & FULL);
    }

    @Test
    void outputPortHasTheResetOutputToo() {
        command(KeyboardRegisters.WRITE_OUTPUT_PORT);
        data(KeyboardRegisters.OUTPUT_A20);
        assertEquals(List.of(PowerRequest.REBOOT), controller.slot.powerRequests());
    }

    @Test
    void outputPortTellsOfAddressLineTwenty() {
        command(KeyboardRegisters.READ_OUTPUT_PORT);
        assertEquals(0x03, answer());
        command(KeyboardRegisters.WRITE_OUTPUT_PORT);
        data(KeyboardRegisters.OUTPUT_NO_RESET);
        command(KeyboardRegisters.READ_OUTPUT_PORT);
        assertEquals(0x01, answer());
        assertEquals(List.of(), controller.slot.powerRequests());
    }

    @Test
    void statusTellsCommandFromData() {
        command(KeyboardRegisters.WRITE_MEMORY);
        assertTrue((status() & KeyboardRegisters.STATUS_COMMAND) != 0);
        data(0);
        assertEquals(0, status() & KeyboardRegisters.STATUS_COMMAND);
    }

    @Test
    void commandInPlaceOfDataTakesItsPlace() {
        command(KeyboardRegisters.WRITE_MEMORY);
        command(KeyboardRegisters.LOOP_KEYBOARD);
        data(0x33);
        assertEquals(0x33, answer());
        command(KeyboardRegisters.READ_MEMORY);
        assertEquals(KeyboardRegisters.MODE_INITIAL, answer());
    }

    @Test
    void wideAccessesReachTheirPortsOnly() {
        controller.slot.bus().write(org.backplane.bus.Space.IO, 0x64, 2, 0xfefe);
        controller.slot.bus().write(org.backplane.bus.Space.IO, 0x61, 4, 0xfefefefeL);
        assertEquals(List.of(), controller.slot.powerRequests());
    }

    @Test
    void swapKeepsAnAnswerAndACommandUnderWay() throws DeviceException {
        mode(KeyboardRegisters.MODE_AUX_INTERRUPT);
        command(KeyboardRegisters.LOOP_AUX);
        controller.swap();
        data(0x77);
        controller.swap();
        assertTrue(auxLine().high());
        assertEquals(0x77, answer());
    }

    private void toGolden() {
        mode(KeyboardRegisters.MODE_INTERRUPT | KeyboardRegisters.MODE_AUX_INTERRUPT);
        command(KeyboardRegisters.WRITE_OUTPUT_PORT);
        data(KeyboardRegisters.OUTPUT_NO_RESET);
        command(KeyboardRegisters.WRITE_AUX);
        data(0xf2);
        command(KeyboardRegisters.LOOP_KEYBOARD);
    }

    @Test
    void savesWhatTheFirstReleaseSaved() {
        toGolden();
        GoldenState.requireSame(KeyboardControllerTest.class, GOLDEN, controller.save());
    }

    @Test
    void restoresWhatTheFirstReleaseSaved() throws DeviceException {
        controller.startFrom(GoldenState.read(KeyboardControllerTest.class, GOLDEN));
        assertTrue(auxLine().high());
        assertEquals(0xfe, answer());
        data(0x12);
        assertTrue(controller.line().high());
        assertEquals(0x12, answer());
        command(KeyboardRegisters.READ_OUTPUT_PORT);
        assertEquals(0x01, answer());
    }

    @Test
    void refusesStatesThatNoControllerHas() {
        for (SavedState damaged :
                List.of(
                        SavedState.of("i8042", 1).number("status", 0x02).build(),
                        SavedState.of("i8042", 1).number("mode", 0x80).build(),
                        SavedState.of("i8042", 1).number("command", 0xfe).build(),
                        SavedState.of("i8042", 2).build())) {
            assertThrows(DeviceException.class, () -> controller.restore(damaged));
        }
    }
}
