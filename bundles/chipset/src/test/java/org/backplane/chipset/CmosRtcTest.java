package org.backplane.chipset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.testkit.GoldenState;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CmosRtcTest {
    static final String GOLDEN = "cmos-rtc-v1.properties";

    private static final long SECOND = 1_000_000_000L;

    /** A Sunday. */
    private static final Instant NOW = Instant.parse("2026-11-22T19:06:59.25Z");

    private Chip rtc;

    @BeforeEach
    void plug() throws DeviceException {
        rtc = Chip.created(new CmosRtcFactory(), Map.of("irq", "8"));
        rtc.slot.setWallTime(NOW);
        rtc.device().start();
        read(CmosRegisters.C);
    }

    private int read(int address) {
        rtc.write(CmosRegisters.INDEX, 1, address);
        return (int) rtc.read(CmosRegisters.DATA, 1);
    }

    private void write(int address, int value) {
        rtc.write(CmosRegisters.INDEX, 1, address);
        rtc.write(CmosRegisters.DATA, 1, value);
    }

    /** Century to second as they stand in the registers, in hexadecimal. */
    private String time() {
        return "%02x%02x-%02x-%02x %02x:%02x:%02x day %d"
                .formatted(
                        read(CmosRegisters.CENTURY),
                        read(CmosRegisters.YEAR),
                        read(CmosRegisters.MONTH),
                        read(CmosRegisters.DAY_OF_MONTH),
                        read(CmosRegisters.HOURS),
                        read(CmosRegisters.MINUTES),
                        read(CmosRegisters.SECONDS),
                        read(CmosRegisters.DAY_OF_WEEK));
    }

    /** Wall clock and guest time go on together. */
    private void pass(long nanoseconds) {
        rtc.slot.setWallTime(rtc.slot.wallTime().plusNanos(nanoseconds));
        rtc.slot.advanceTo(rtc.slot.guestTime() + nanoseconds);
    }

    /** As Linux' mc146818_set_time does: stopped, and the divider in reset. */
    private void setTime(int... fromCenturyToSeconds) {
        int b = read(CmosRegisters.B);
        int a = read(CmosRegisters.A) & ~CmosRegisters.A_UIP;
        write(CmosRegisters.B, b | CmosRegisters.B_SET);
        write(CmosRegisters.A, a | CmosRegisters.A_DIVIDER);
        int[] addresses = {
            CmosRegisters.CENTURY,
            CmosRegisters.YEAR,
            CmosRegisters.MONTH,
            CmosRegisters.DAY_OF_MONTH,
            CmosRegisters.HOURS,
            CmosRegisters.MINUTES,
            CmosRegisters.SECONDS
        };
        for (int i = 0; i < addresses.length; i++) {
            write(addresses[i], fromCenturyToSeconds[i]);
        }
        write(CmosRegisters.B, b);
        write(CmosRegisters.A, a);
    }

    private void setAlarm(int hours, int minutes, int seconds) {
        write(CmosRegisters.HOURS_ALARM, hours);
        write(CmosRegisters.MINUTES_ALARM, minutes);
        write(CmosRegisters.SECONDS_ALARM, seconds);
        write(CmosRegisters.B, read(CmosRegisters.B) | CmosRegisters.B_ALARM);
    }

    private boolean interrupts() {
        return rtc.line().high();
    }

    @Test
    void hasThePortsTheLineAndTheNameOfAPc() {
        assertEquals(0x70, rtc.base());
        assertEquals(8, rtc.line().source());
        assertEquals("PNP0B00", rtc.slot.nodes().get(0).hardwareId());
    }

    @Test
    void tellsTheHostsTimeInDecimals() {
        assertEquals("2026-11-22 19:06:59 day 1", time());
        pass(SECOND);
        assertEquals("2026-11-22 19:07:00 day 1", time());
    }

    @ParameterizedTest
    @CsvSource({
        "0x02,0x19,2026-11-22T19:06:59Z",
        "0x06,19,2026-11-22T19:06:59Z",
        "0x00,0x87,2026-11-22T19:06:59Z",
        "0x04,135,2026-11-22T19:06:59Z",
        "0x00,0x12,2026-11-22T00:06:59Z",
        "0x00,0x92,2026-11-22T12:06:59Z",
        "0x04,0x0b,2026-11-22T11:06:59Z",
    })
    void hoursAreOfTheModeThatIsSet(String b, String hours, Instant time) {
        rtc.slot.setWallTime(time);
        write(CmosRegisters.B, Integer.decode(b));
        assertEquals(Integer.decode(hours), read(CmosRegisters.HOURS));
    }

    @ParameterizedTest
    @CsvSource({
        "1999-12-31T23:59:59Z,'1999-12-31 23:59:59 day 6','2000-01-01 00:00:00 day 7'",
        "2024-02-28T23:59:59Z,'2024-02-28 23:59:59 day 4','2024-02-29 00:00:00 day 5'",
        "2100-02-28T23:59:59Z,'2100-02-28 23:59:59 day 1','2100-03-01 00:00:00 day 2'",
    })
    void countsOverTheEndsOfMonthsAndCenturies(Instant time, String before, String after) {
        rtc.slot.setWallTime(time);
        assertEquals(before, time());
        pass(SECOND);
        assertEquals(after, time());
    }

    /** The first update comes half a second after the divider's reset ends. */
    @Test
    void timeThatTheGuestSetsGoesOn() {
        setTime(0x19, 0x99, 0x12, 0x31, 0x23, 0x59, 0x58);
        assertEquals("1999-12-31 23:59:58 day 6", time());
        pass(SECOND / 2 - 1);
        assertEquals("1999-12-31 23:59:58 day 6", time());
        pass(1);
        assertEquals("1999-12-31 23:59:59 day 6", time());
        pass(SECOND);
        assertEquals("2000-01-01 00:00:00 day 7", time());
    }

    @Test
    void timeStandsStillWhileItIsSet() {
        write(CmosRegisters.B, read(CmosRegisters.B) | CmosRegisters.B_SET);
        pass(10 * SECOND);
        assertEquals("2026-11-22 19:06:59 day 1", time());
        assertEquals(0, read(CmosRegisters.A) & CmosRegisters.A_UIP);
        write(CmosRegisters.B, read(CmosRegisters.B) & ~CmosRegisters.B_SET);
        assertEquals("2026-11-22 19:06:59 day 1", time());
        pass(SECOND);
        assertEquals("2026-11-22 19:07:00 day 1", time());
    }

    @Test
    void aRegisterOfTheRunningTimeCanBeSetByItself() {
        write(CmosRegisters.MINUTES, 0x30);
        assertEquals("2026-11-22 19:30:59 day 1", time());
        pass(SECOND);
        assertEquals("2026-11-22 19:31:00 day 1", time());
    }

    @Test
    void valuesThatNoClockShowsCountAsTheNearest() {
        setTime(0x20, 0x26, 0x99, 0x31, 0xff, 0xff, 0xff);
        assertEquals("2026-12-31 23:59:59 day 5", time());
        setTime(0x20, 0x26, 0x02, 0x31, 0x01, 0x00, 0x00);
        assertEquals("2026-02-28 01:00:00 day 7", time());
        setTime(0x20, 0x26, 0x00, 0x00, 0x00, 0x00, 0x00);
        assertEquals("2026-01-01 00:00:00 day 5", time());
    }

    @Test
    void updateIsInProgressShortlyBeforeItComes() {
        assertEquals(CmosRegisters.A_INITIAL, read(CmosRegisters.A));
        rtc.slot.setWallTime(Instant.parse("2026-11-22T19:06:59.755999Z"));
        assertEquals(CmosRegisters.A_INITIAL, read(CmosRegisters.A));
        rtc.slot.setWallTime(Instant.parse("2026-11-22T19:06:59.999756Z"));
        assertEquals(CmosRegisters.A_INITIAL | 0x80, read(CmosRegisters.A));
        rtc.slot.setWallTime(Instant.parse("2026-11-22T19:07:00Z"));
        assertEquals(CmosRegisters.A_INITIAL, read(CmosRegisters.A));
    }

    @Test
    void tellsThatItsMemoryIsValid() {
        assertEquals(0x80, read(CmosRegisters.D));
        write(CmosRegisters.D, 0xff);
        assertEquals(0x80, read(CmosRegisters.D));
    }

    @Test
    void alarmInterruptsInItsSecond() {
        setAlarm(0x19, 0x07, 0x02);
        pass(3 * SECOND - SECOND / 4 - 1);
        assertFalse(interrupts());
        pass(1);
        assertTrue(interrupts());
        assertEquals(
                CmosRegisters.C_IRQ | CmosRegisters.B_ALARM | CmosRegisters.B_UPDATE,
                read(CmosRegisters.C) & ~CmosRegisters.B_PERIODIC);
        assertFalse(interrupts());
        assertEquals(0, read(CmosRegisters.C));
    }

    @ParameterizedTest
    @CsvSource({
        "0xff,0xff,0xff,1",
        "0xff,0xff,0x00,1",
        "0xff,0x08,0x00,61",
        "0x19,0x06,0x59,86400",
        "0x19,0x06,0x58,86399",
        "0x00,0x00,0x00,17581",
        "0xc0,0x00,0x00,3181",
    })
    void alarmComesAtTheNextMatch(String hours, String minutes, String seconds, int after) {
        setAlarm(Integer.decode(hours), Integer.decode(minutes), Integer.decode(seconds));
        pass((after - 1) * SECOND);
        assertFalse(interrupts());
        pass(SECOND);
        assertTrue(interrupts());
    }

    @ParameterizedTest
    @CsvSource({"0x25,0x00,0x00", "0x19,0x61,0x00", "0x19,0x07,0x7f"})
    void alarmAtNoTimeNeverComes(String hours, String minutes, String seconds) {
        setAlarm(Integer.decode(hours), Integer.decode(minutes), Integer.decode(seconds));
        for (int hour = 0; hour < 50; hour++) {
            pass(3600 * SECOND);
        }
        assertFalse(interrupts());
        assertEquals(0, read(CmosRegisters.C) & CmosRegisters.B_ALARM);
    }

    @Test
    void alarmThatIsNotEnabledIsAFlag() {
        setAlarm(0x19, 0x07, 0x02);
        write(CmosRegisters.B, CmosRegisters.B_24_HOURS);
        pass(5 * SECOND);
        assertFalse(interrupts());
        write(CmosRegisters.B, CmosRegisters.B_24_HOURS | CmosRegisters.B_ALARM);
        assertTrue(interrupts());
    }

    @Test
    void settingTheTimePastTheAlarmRaisesNothing() {
        setAlarm(0x19, 0x30, 0x00);
        setTime(0x20, 0x26, 0x11, 0x22, 0x20, 0x00, 0x00);
        assertFalse(interrupts());
        assertEquals(0, read(CmosRegisters.C));
    }

    @Test
    void alarmFollowsTheClockWhenTheHostsTimeWasSetBack() {
        setAlarm(0x19, 0x07, 0x02);
        rtc.slot.setWallTime(NOW.minusSeconds(10));
        rtc.slot.advanceTo(4 * SECOND);
        assertFalse(interrupts());
        pass(13 * SECOND);
        assertTrue(interrupts());
    }

    @Test
    void alarmOfAPauseComesWithTheResume() {
        setAlarm(0x19, 0x07, 0x02);
        rtc.device().quiesce();
        rtc.slot.setWallTime(NOW.plusSeconds(60));
        rtc.device().resume();
        assertTrue(interrupts());
    }

    @Test
    void updateInterruptsEverySecond() {
        write(CmosRegisters.B, CmosRegisters.B_24_HOURS | CmosRegisters.B_UPDATE);
        for (int second = 0; second < 5; second++) {
            assertFalse(interrupts());
            pass(SECOND);
            assertTrue(interrupts());
            assertEquals(CmosRegisters.C_IRQ | 0x10, read(CmosRegisters.C) & 0x90);
        }
    }

    @Test
    void stoppingTheTimeTurnsItsInterruptOff() {
        write(CmosRegisters.B, CmosRegisters.B_UPDATE | CmosRegisters.B_24_HOURS);
        write(
                CmosRegisters.B,
                CmosRegisters.B_SET | CmosRegisters.B_UPDATE | CmosRegisters.B_24_HOURS);
        assertEquals(CmosRegisters.B_SET | CmosRegisters.B_24_HOURS, read(CmosRegisters.B));
        pass(5 * SECOND);
        assertFalse(interrupts());
        assertEquals(0, read(CmosRegisters.C) & CmosRegisters.B_UPDATE);
    }

    @ParameterizedTest
    @CsvSource({"6,976562", "3,122070", "15,500000000", "1,3906250", "2,7812500"})
    void periodicInterruptHasTheRateThatIsSet(int rate, long period) {
        write(CmosRegisters.A, CmosRegisters.A_DIVIDER_ON | rate);
        write(CmosRegisters.B, CmosRegisters.B_24_HOURS | CmosRegisters.B_PERIODIC);
        read(CmosRegisters.C);
        for (int i = 0; i < 3; i++) {
            rtc.slot.advanceTo((rtc.slot.guestTime() / period + 1) * period - 1);
            assertFalse(interrupts());
            rtc.slot.advanceTo(rtc.slot.guestTime() + 1);
            assertTrue(interrupts());
            assertEquals(CmosRegisters.C_IRQ | 0x40, read(CmosRegisters.C) & 0xc0);
        }
    }

    @Test
    void withoutARateThereIsNoPeriodicInterrupt() {
        write(CmosRegisters.A, CmosRegisters.A_DIVIDER_ON);
        write(CmosRegisters.B, CmosRegisters.B_24_HOURS | CmosRegisters.B_PERIODIC);
        rtc.slot.advanceTo(100 * SECOND);
        assertFalse(interrupts());
    }

    /** What the guest does not fetch costs the host nothing. */
    @Test
    void pendingInterruptNeedsNoTimer() {
        write(CmosRegisters.A, CmosRegisters.A_DIVIDER_ON | 3);
        write(CmosRegisters.B, CmosRegisters.B_24_HOURS | CmosRegisters.B_PERIODIC);
        rtc.slot.advanceTo(SECOND);
        assertEquals(1, rtc.line().rises());
        read(CmosRegisters.C);
        assertFalse(interrupts());
        rtc.slot.advanceTo(2 * SECOND);
        assertEquals(2, rtc.line().rises());
    }

    @Test
    void memoryRemembersEveryByte() {
        for (int address = 0x0e; address < CmosRegisters.SIZE; address++) {
            if (address != CmosRegisters.CENTURY) {
                write(address, 0xff - address);
            }
        }
        for (int address = 0x0e; address < CmosRegisters.SIZE; address++) {
            if (address != CmosRegisters.CENTURY) {
                assertEquals(0xff - address, read(address));
            }
        }
    }

    @Test
    void highestBitOfTheAddressMasksTheNmiOnly() {
        rtc.write(CmosRegisters.INDEX, 1, 0x80 | 0x40);
        rtc.write(CmosRegisters.DATA, 1, 0x5a);
        assertEquals(0x5a, read(0x40));
    }

    @Test
    void wideWriteReachesBothPorts() {
        rtc.write(CmosRegisters.INDEX, 2, 0x5a40);
        assertEquals(0x5a, read(0x40));
        assertEquals(0x5aff, rtc.read(CmosRegisters.INDEX, 2));
    }

    @Test
    void resetKeepsMemoryAndTimeAndTurnsInterruptsOff() {
        setTime(0x20, 0x30, 0x01, 0x02, 0x03, 0x04, 0x05);
        write(0x0f, 0x0a);
        setAlarm(0xff, 0xff, 0xff);
        pass(SECOND);
        assertTrue(interrupts());
        rtc.device().reset();
        assertFalse(interrupts());
        assertEquals(CmosRegisters.B_INITIAL, read(CmosRegisters.B));
        assertEquals(0, read(CmosRegisters.C));
        assertEquals("2030-01-02 03:04:06 day 4", time());
        assertEquals(0x0a, read(0x0f));
    }

    @Test
    void resetLetsATimeGoOnThatWasBeingSet() {
        write(CmosRegisters.B, CmosRegisters.B_SET);
        write(CmosRegisters.MINUTES, 0x45);
        rtc.device().reset();
        pass(SECOND);
        assertEquals("2026-11-22 19:46:00 day 1", time());
    }

    @Test
    void swapKeepsTimeMemoryAndAlarm() throws DeviceException {
        setTime(0x20, 0x30, 0x01, 0x02, 0x03, 0x04, 0x05);
        write(0x40, 0x77);
        setAlarm(0x03, 0x04, 0x07);
        rtc.swap();
        assertEquals("2030-01-02 03:04:05 day 4", time());
        assertEquals(0x77, read(0x40));
        pass(2 * SECOND);
        assertTrue(interrupts());
    }

    @Test
    void alarmThatCameDuringASwapIsNotLost() throws DeviceException {
        setAlarm(0x19, 0x07, 0x02);
        rtc.device().quiesce();
        SavedState state = rtc.save();
        rtc.slot.unplugDevice();
        pass(10 * SECOND);
        rtc.startFrom(state);
        assertTrue(interrupts());
    }

    private void toGolden() {
        setTime(0x20, 0x30, 0x01, 0x02, 0x03, 0x04, 0x05);
        write(0x40, 0x77);
        setAlarm(0x03, 0x04, 0x07);
        pass(2 * SECOND);
        write(CmosRegisters.B, read(CmosRegisters.B) | CmosRegisters.B_SET);
        rtc.write(CmosRegisters.INDEX, 1, CmosRegisters.YEAR);
    }

    @Test
    void savesWhatTheFirstReleaseSaved() {
        toGolden();
        GoldenState.requireSame(CmosRtcTest.class, GOLDEN, rtc.save());
    }

    @Test
    void restoresWhatTheFirstReleaseSaved() throws DeviceException {
        rtc.startFrom(GoldenState.read(CmosRtcTest.class, GOLDEN));
        assertTrue(interrupts());
        assertEquals(0x30, rtc.read(CmosRegisters.DATA, 1));
        assertEquals("2030-01-02 03:04:07 day 4", time());
        assertEquals(0x77, read(0x40));
        assertEquals(0xf0, read(CmosRegisters.C), "all three have come");
    }

    @Test
    void refusesStatesThatNoClockHas() {
        byte[] inProgress = CmosState.fresh();
        inProgress[CmosRegisters.A] |= (byte) CmosRegisters.A_UIP;
        for (SavedState damaged :
                List.of(
                        SavedState.of("cmos-rtc", 1).bytes("memory", new byte[127]).build(),
                        SavedState.of("cmos-rtc", 1).bytes("memory", inProgress).build(),
                        SavedState.of("cmos-rtc", 1).number("flags", 0x80).build(),
                        SavedState.of("cmos-rtc", 1).number("index", 128).build(),
                        SavedState.of("cmos-rtc", 1)
                                .number("offset-seconds", Long.MAX_VALUE)
                                .build(),
                        SavedState.of("cmos-rtc", 2).build())) {
            assertThrows(DeviceException.class, () -> rtc.restore(damaged));
        }
    }
}
