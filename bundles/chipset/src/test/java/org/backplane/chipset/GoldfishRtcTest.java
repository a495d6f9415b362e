package org.backplane.chipset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.backplane.device.DeviceException;
import org.backplane.device.context.FirmwareNode;
import org.backplane.device.state.SavedState;
import org.backplane.testkit.GoldenState;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class GoldfishRtcTest {
    static final String GOLDEN = "goldfish-rtc-v1.properties";

    private static final long SECOND = 1_000_000_000L;
    private static final Instant NOW = Instant.ofEpochSecond(1_767_225_600L, 5);
    private static final long NOW_NANOS = 1_767_225_600L * SECOND + 5;

    private Chip rtc;

    @BeforeEach
    void plug() throws DeviceException {
        rtc = Chip.started(new GoldfishRtcFactory());
        rtc.slot.setWallTime(NOW);
    }

    private long time() {
        long low = rtc.read(RtcRegisters.TIME_LOW, 4);
        return low | rtc.read(RtcRegisters.TIME_HIGH, 4) << 32;
    }

    private void setAlarm(long time) {
        rtc.write(RtcRegisters.ALARM_HIGH, 4, time >>> 32);
        rtc.write(RtcRegisters.ALARM_LOW, 4, time & 0xffff_ffffL);
        rtc.write(RtcRegisters.IRQ_ENABLED, 4, 1);
    }

    /** Wall clock and guest time go on together. */
    private void pass(long nanoseconds) {
        rtc.slot.setWallTime(rtc.slot.wallTime().plusNanos(nanoseconds));
        rtc.slot.advanceTo(rtc.slot.guestTime() + nanoseconds);
    }

    @Test
    void describesItselfToTheFirmware() {
        assertEquals(
                List.of(
                        new FirmwareNode(
                                "rtc", List.of("google,goldfish-rtc"), Map.of(), List.of())),
                rtc.slot.nodes());
    }

    @Test
    void tellsTheHostsTimeInNanoseconds() {
        assertEquals(NOW_NANOS, time());
    }

    @Test
    void readingTheLowHalfLatchesTheHighHalf() {
        rtc.read(RtcRegisters.TIME_LOW, 4);
        rtc.slot.setWallTime(NOW.plusSeconds(3600));
        assertEquals(NOW_NANOS >>> 32, rtc.read(RtcRegisters.TIME_HIGH, 4));
    }

    @Test
    void timeThatTheGuestSetsGoesOn() {
        long set = 86_400 * SECOND;
        rtc.write(RtcRegisters.TIME_HIGH, 4, set >>> 32);
        rtc.write(RtcRegisters.TIME_LOW, 4, set & 0xffff_ffffL);
        assertEquals(set, time());
        pass(7 * SECOND);
        assertEquals(set + 7 * SECOND, time());
    }

    @Test
    void alarmInterruptsWhenItsTimeHasCome() {
        setAlarm(NOW_NANOS + SECOND);
        assertEquals(1, rtc.read(RtcRegisters.ALARM_STATUS, 4));
        pass(SECOND - 1);
        assertFalse(rtc.line().high());
        pass(1);
        assertTrue(rtc.line().high());
        assertEquals(0, rtc.read(RtcRegisters.ALARM_STATUS, 4));
    }

    @Test
    void alarmReadsBack() {
        setAlarm(0x1234_5678_9abc_def0L);
        assertEquals(0x1234_5678L, rtc.read(RtcRegisters.ALARM_HIGH, 4));
        assertEquals(0x9abc_def0L, rtc.read(RtcRegisters.ALARM_LOW, 4));
    }

    @Test
    void alarmInThePastInterruptsAtOnce() {
        setAlarm(NOW_NANOS - 1);
        assertTrue(rtc.line().high());
    }

    @Test
    void alarmBeyondTheEndOfTimeNeverComes() {
        setAlarm(-1);
        pass(1000 * SECOND);
        assertFalse(rtc.line().high());
        assertEquals(1, rtc.read(RtcRegisters.ALARM_STATUS, 4));
    }

    @Test
    void clearingTheInterruptLowersTheLine() {
        setAlarm(NOW_NANOS - 1);
        rtc.write(RtcRegisters.CLEAR_INTERRUPT, 4, 1);
        assertFalse(rtc.line().high());
    }

    @Test
    void clearedAlarmDoesNotCome() {
        setAlarm(NOW_NANOS + SECOND);
        rtc.write(RtcRegisters.CLEAR_ALARM, 4, 1);
        assertEquals(0, rtc.read(RtcRegisters.ALARM_STATUS, 4));
        pass(2 * SECOND);
        assertFalse(rtc.line().high());
    }

    @Test
    void interruptWaitsUntilItIsEnabled() {
        setAlarm(NOW_NANOS + SECOND);
        rtc.write(RtcRegisters.IRQ_ENABLED, 4, 0);
        pass(2 * SECOND);
        assertFalse(rtc.line().high());
        rtc.write(RtcRegisters.IRQ_ENABLED, 4, 1);
        assertTrue(rtc.line().high());
    }

    @Test
    void alarmWaitsForTheClockWhenTheHostsTimeWasSetBack() {
        setAlarm(NOW_NANOS + SECOND);
        rtc.slot.setWallTime(NOW.minusSeconds(10));
        rtc.slot.advanceTo(SECOND);
        assertFalse(rtc.line().high());
        pass(11 * SECOND);
        assertTrue(rtc.line().high());
    }

    @Test
    void alarmOfAPauseComesWithTheResume() {
        setAlarm(NOW_NANOS + SECOND);
        rtc.device().quiesce();
        rtc.slot.setWallTime(NOW.plusSeconds(5));
        rtc.device().resume();
        assertTrue(rtc.line().high());
    }

    @Test
    void settingTheTimePastTheAlarmInterrupts() {
        setAlarm(NOW_NANOS + 3600 * SECOND);
        long set = NOW_NANOS + 7200 * SECOND;
        rtc.write(RtcRegisters.TIME_HIGH, 4, set >>> 32);
        rtc.write(RtcRegisters.TIME_LOW, 4, set & 0xffff_ffffL);
        assertTrue(rtc.line().high());
    }

    @Test
    void accessesOfOtherWidthsMeanNothing() {
        rtc.write(RtcRegisters.IRQ_ENABLED, 1, 1);
        assertEquals(0, rtc.read(RtcRegisters.IRQ_ENABLED, 4));
        assertEquals(0xff, rtc.read(RtcRegisters.TIME_LOW, 1) & 0xff);
    }

    @Test
    void resetForgetsAlarmAndTimeSet() {
        rtc.write(RtcRegisters.TIME_HIGH, 4, 1);
        setAlarm(0);
        rtc.device().reset();
        assertEquals(NOW_NANOS, time());
        assertFalse(rtc.line().high());
        assertEquals(0, rtc.read(RtcRegisters.IRQ_ENABLED, 4));
    }

    @Test
    void swapKeepsTheAlarm() throws DeviceException {
        setAlarm(NOW_NANOS + SECOND);
        rtc.swap();
        pass(SECOND);
        assertTrue(rtc.line().high());
    }

    @Test
    void alarmThatCameDuringASwapIsNotLost() throws DeviceException {
        setAlarm(NOW_NANOS + SECOND);
        rtc.slot.setWallTime(NOW.plusSeconds(2));
        rtc.swap();
        assertTrue(rtc.line().high());
    }

    @Test
    void savesWhatTheFirstReleaseSaved() {
        long set = NOW_NANOS + 3600 * SECOND;
        rtc.write(RtcRegisters.TIME_HIGH, 4, set >>> 32);
        rtc.write(RtcRegisters.TIME_LOW, 4, set & 0xffff_ffffL);
        setAlarm(NOW_NANOS);
        rtc.slot.setWallTime(NOW.minusSeconds(3600).minusNanos(5));
        time();
        rtc.slot.setWallTime(NOW.minusSeconds(7200));
        setAlarm(1_767_229_200L * SECOND + 1);
        GoldenState.requireSame(GoldfishRtcTest.class, GOLDEN, rtc.save());
    }

    @Test
    void restoresWhatTheFirstReleaseSaved() throws DeviceException {
        rtc.slot.setWallTime(NOW.minusSeconds(7200));
        rtc.startFrom(GoldenState.read(GoldfishRtcTest.class, GOLDEN));
        assertTrue(rtc.line().high());
        assertEquals(411464273, rtc.read(RtcRegisters.TIME_HIGH, 4));
        assertEquals(1, rtc.read(RtcRegisters.ALARM_STATUS, 4));
        assertEquals(NOW_NANOS - 3600 * SECOND, time());
        rtc.write(RtcRegisters.CLEAR_INTERRUPT, 4, 1);
        assertFalse(rtc.line().high());
        rtc.slot.setWallTime(NOW);
        rtc.slot.advanceTo(7200 * SECOND);
        assertTrue(rtc.line().high());
    }

    @Test
    void refusesANewerState() {
        assertThrows(
                DeviceException.class, () -> rtc.restore(SavedState.of("goldfish-rtc", 2).build()));
    }
}
