package org.backplane.chipset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.backplane.device.DeviceException;
import org.backplane.device.PowerButton;
import org.backplane.device.context.DeviceContext.PowerRequest;
import org.backplane.device.state.SavedState;
import org.backplane.testkit.GoldenState;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PowerManagementTest {
    static final String GOLDEN = "acpi-pm-v1.properties";

    private static final int EVENTS = 0;
    private static final int CONTROL = 1;
    private static final int TIMER = 2;
    private static final int RESET = 3;
    private static final int STATUS = 0;
    private static final int ENABLE = 2;
    private static final long SECOND = 1_000_000_000L;

    /** The timer's highest bit rises first at this time, in nanoseconds, rounded up. */
    private static final long HALF = 599_932_015_941L;

    private Chip power;

    @BeforeEach
    void plug() throws DeviceException {
        power = Chip.started(new PowerManagementFactory(), Map.of("irq", "9"));
    }

    private int events(int register) {
        return (int) power.read(EVENTS, register, 2);
    }

    private void events(int register, int value) {
        power.write(EVENTS, register, 2, value);
    }

    private void press() {
        ((PowerButton) power.device()).press();
    }

    private boolean sci() {
        return power.line().high();
    }

    @Test
    void hasItsRegistersInTheOrderThatTheTablesRelyOn() {
        assertEquals(
                List.of("600+4", "604+2", "608+4", "60c+1"),
                power.slot.regions().stream()
                        .map(
                                lease ->
                                        Long.toHexString(lease.range().base())
                                                + "+"
                                                + lease.range().size())
                        .toList());
        assertEquals(9, power.line().source());
        assertEquals(List.of("acpi-pm"), power.slot.nodes().get(0).compatible());
        assertEquals("", power.slot.nodes().get(0).hardwareId());
    }

    @Test
    void buttonRaisesTheInterruptOnceItIsEnabled() {
        press();
        assertFalse(sci());
        assertEquals(PmRegisters.PWRBTN, events(STATUS));
        events(ENABLE, PmRegisters.PWRBTN);
        assertTrue(sci());
        events(STATUS, PmRegisters.PWRBTN);
        assertFalse(sci());
        assertEquals(0, events(STATUS));
        press();
        assertTrue(sci());
    }

    @Test
    void disablingLowersTheInterruptAndKeepsTheStatus() {
        events(ENABLE, PmRegisters.PWRBTN);
        press();
        events(ENABLE, 0);
        assertFalse(sci());
        assertEquals(PmRegisters.PWRBTN, events(STATUS));
    }

    @Test
    void zerosClearNoStatus() {
        press();
        events(STATUS, ~PmRegisters.PWRBTN & 0xffff);
        assertEquals(PmRegisters.PWRBTN, events(STATUS));
    }

    @Test
    void bytesAndTheWholeBlockReachTheSameRegisters() {
        power.write(EVENTS, ENABLE + 1, 1, PmRegisters.PWRBTN >>> 8);
        assertEquals(PmRegisters.PWRBTN, events(ENABLE));
        press();
        assertEquals(1, power.read(EVENTS, STATUS + 1, 1));
        assertEquals(
                (long) PmRegisters.PWRBTN << 16 | PmRegisters.PWRBTN, power.read(EVENTS, 0, 4));
        power.write(EVENTS, STATUS + 1, 1, PmRegisters.PWRBTN >>> 8);
        assertEquals(0, events(STATUS));
        assertEquals(PmRegisters.PWRBTN, events(ENABLE));
        press();
        power.write(EVENTS, 0, 4, PmRegisters.PWRBTN);
        assertEquals(0, power.read(EVENTS, 0, 4), "clears the status and the enable bit");
    }

    @Test
    void hasOnlyTheEventsThatThereAre() {
        events(ENABLE, 0xffff);
        assertEquals(PmRegisters.EVENTS | PmRegisters.RTC, events(ENABLE));
        assertEquals(0, events(STATUS));
        assertFalse(sci());
    }

    @ParameterizedTest
    @CsvSource({"0,2,0x3400", "1,1,0x34"})
    void sleepOfTypeFivePowersOff(int offset, int width, String value) {
        power.write(CONTROL, offset, width, Long.decode(value));
        assertEquals(List.of(PowerRequest.POWER_OFF), power.slot.powerRequests());
    }

    /** Linux writes the type first, and then the same with SLP_EN. */
    @Test
    void typeAloneDoesNotSleep() {
        power.write(CONTROL, 0, 2, 0x1401);
        assertEquals(List.of(), power.slot.powerRequests());
        assertEquals(0x1401, power.read(CONTROL, 0, 2));
        power.write(CONTROL, 0, 2, 0x3401);
        assertEquals(List.of(PowerRequest.POWER_OFF), power.slot.powerRequests());
        assertEquals(0x1401, power.read(CONTROL, 0, 2), "SLP_EN reads as zero");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0x2000", "0x2400", "0x2c00", "0x3c00"})
    void otherSleepsAreIgnored(String value) {
        power.write(CONTROL, 0, 2, Long.decode(value));
        assertEquals(List.of(), power.slot.powerRequests());
    }

    @Test
    void eventsAlwaysBelongToTheOperatingSystem() {
        power.write(CONTROL, 0, 2, 0);
        assertEquals(PmRegisters.CONTROL_SCI_EN, power.read(CONTROL, 0, 2));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 6, 0xff})
    void anyWriteOfTheResetRegisterReboots(int value) {
        power.write(RESET, 0, 1, value);
        assertEquals(List.of(PowerRequest.REBOOT), power.slot.powerRequests());
        assertEquals(0, power.read(RESET, 0, 1));
    }

    @Test
    void timerCountsGuestTime() {
        assertEquals(0, power.read(TIMER, 0, 4));
        power.slot.advanceTo(SECOND);
        assertEquals(3_579_545, power.read(TIMER, 0, 4));
        power.slot.advanceTo(SECOND + SECOND / 2);
        assertEquals(3_579_545 + 1_789_772, power.read(TIMER, 0, 4));
        power.write(TIMER, 0, 4, 0);
        assertEquals(3_579_545 + 1_789_772, power.read(TIMER, 0, 4));
    }

    @Test
    void timerWrapsAndGoesOnForAHundredYears() {
        long years = 100L * 365 * 86_400;
        power.slot.advanceTo(years * SECOND);
        assertEquals(years * 3_579_545 & 0xffff_ffffL, power.read(TIMER, 0, 4));
    }

    @Test
    void changeOfTheTimersHighestBitIsAnEventInEitherSense() {
        events(ENABLE, PmRegisters.TMR);
        power.slot.advanceTo(HALF - 1);
        assertFalse(sci());
        power.slot.advanceTo(HALF);
        assertTrue(sci());
        assertEquals(0x8000_0000L, power.read(TIMER, 0, 4));
        events(STATUS, PmRegisters.TMR);
        assertFalse(sci());
        power.slot.advanceTo(2 * HALF);
        assertTrue(sci());
    }

    @Test
    void eventOfTheTimerWaitsUntilItIsEnabled() {
        power.slot.advanceTo(HALF);
        assertFalse(sci());
        assertEquals(PmRegisters.TMR, events(STATUS));
        events(ENABLE, PmRegisters.TMR);
        assertTrue(sci());
    }

    @Test
    void swapKeepsThePressedButton() throws DeviceException {
        events(ENABLE, PmRegisters.PWRBTN);
        press();
        power.swap();
        assertTrue(sci());
        assertEquals(PmRegisters.PWRBTN, events(STATUS));
        events(STATUS, PmRegisters.PWRBTN);
        assertFalse(sci());
        press();
        assertTrue(sci());
    }

    @Test
    void eventOfTheTimerDuringASwapIsNotLost() throws DeviceException {
        events(ENABLE, PmRegisters.TMR);
        power.device().quiesce();
        SavedState state = power.save();
        power.slot.unplugDevice();
        power.slot.advanceTo(HALF);
        power.startFrom(state);
        assertTrue(sci());
    }

    @Test
    void resetForgetsEvents() {
        events(ENABLE, PmRegisters.PWRBTN);
        power.write(CONTROL, 0, 2, 0x1400);
        press();
        power.device().reset();
        assertFalse(sci());
        assertEquals(0, power.read(EVENTS, 0, 4));
        assertEquals(PmRegisters.CONTROL_SCI_EN, power.read(CONTROL, 0, 2));
    }

    @Test
    void savesWhatTheFirstReleaseSaved() {
        events(ENABLE, PmRegisters.PWRBTN | PmRegisters.GBL);
        power.write(CONTROL, 0, 2, 0x1400);
        press();
        power.slot.advanceTo(HALF);
        GoldenState.requireSame(PowerManagementTest.class, GOLDEN, power.save());
    }

    @Test
    void restoresWhatTheFirstReleaseSaved() throws DeviceException {
        power.slot.advanceTo(HALF);
        power.startFrom(GoldenState.read(PowerManagementTest.class, GOLDEN));
        assertTrue(sci());
        assertEquals(PmRegisters.PWRBTN | PmRegisters.TMR, events(STATUS));
        assertEquals(PmRegisters.PWRBTN | PmRegisters.GBL, events(ENABLE));
        assertEquals(0x1401, power.read(CONTROL, 0, 2));
    }

    @Test
    void refusesStatesThatNoHardwareHas() {
        for (SavedState damaged :
                List.of(
                        SavedState.of("acpi-pm", 1).number("status", 0x8000).build(),
                        SavedState.of("acpi-pm", 1).number("enable", 0x0200).build(),
                        SavedState.of("acpi-pm", 1).number("control", 0x2000).build(),
                        SavedState.of("acpi-pm", 2).build())) {
            assertThrows(DeviceException.class, () -> power.restore(damaged));
        }
    }
}
