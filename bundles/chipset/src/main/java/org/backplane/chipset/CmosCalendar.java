package org.backplane.chipset;

import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.YearMonth;
import java.time.ZoneOffset;

/**
 * The time in the registers' form (MC146818, "Time, calendar and alarm locations"): binary or
 * binary coded decimal, 12 or 24 hours. Years are of the proleptic ISO calendar, 0 to 9999; all
 * times are UTC.
 *
 * @param binary DM of register B
 * @param hours24 24/12 of register B
 */
record CmosCalendar(boolean binary, boolean hours24) {
    private static final int DAY_SECONDS = 86_400;

    static CmosCalendar of(int registerB) {
        return new CmosCalendar(
                (registerB & CmosRegisters.B_BINARY) != 0,
                (registerB & CmosRegisters.B_24_HOURS) != 0);
    }

    /**
     * Writes the time into the bytes.
     *
     * @param second since 1970
     */
    void write(long second, byte[] bytes) {
        LocalDateTime time = LocalDateTime.ofEpochSecond(second, 0, ZoneOffset.UTC);
        put(bytes, CmosRegisters.SECONDS, time.getSecond());
        put(bytes, CmosRegisters.MINUTES, time.getMinute());
        bytes[CmosRegisters.HOURS] = (byte) hour(time.getHour());
        put(bytes, CmosRegisters.DAY_OF_WEEK, time.getDayOfWeek().getValue() % 7 + 1);
        put(bytes, CmosRegisters.DAY_OF_MONTH, time.getDayOfMonth());
        put(bytes, CmosRegisters.MONTH, time.getMonthValue());
        put(bytes, CmosRegisters.YEAR, Math.floorMod(time.getYear(), 100));
        put(bytes, CmosRegisters.CENTURY, Math.floorMod(time.getYear() / 100, 100));
    }

    private void put(byte[] bytes, int address, int value) {
        bytes[address] = (byte) encoded(value);
    }

    private int encoded(int value) {
        return binary ? value : value / 10 << 4 | value % 10;
    }

    private int hour(int hour) {
        if (hours24) {
            return encoded(hour);
        }
        return encoded(hour % 12 == 0 ? 12 : hour % 12) | (hour >= 12 ? CmosRegisters.HOURS_PM : 0);
    }

    /**
     * The second since 1970 that the bytes say. A value that no clock shows counts as the nearest
     * one: the chip would count on from it until it has wrapped.
     */
    long read(byte[] bytes) {
        int year =
                within(value(bytes, CmosRegisters.CENTURY), 0, 99) * 100
                        + within(value(bytes, CmosRegisters.YEAR), 0, 99);
        int month = within(value(bytes, CmosRegisters.MONTH), 1, 12);
        int day =
                within(
                        value(bytes, CmosRegisters.DAY_OF_MONTH),
                        1,
                        YearMonth.of(year, month).lengthOfMonth());
        return LocalDate.of(year, month, day)
                .atTime(
                        LocalTime.of(
                                within(hourOf(bytes[CmosRegisters.HOURS] & 0xff), 0, 23),
                                within(value(bytes, CmosRegisters.MINUTES), 0, 59),
                                within(value(bytes, CmosRegisters.SECONDS), 0, 59)))
                .toEpochSecond(ZoneOffset.UTC);
    }

    private int value(byte[] bytes, int address) {
        return decoded(bytes[address] & 0xff);
    }

    private int decoded(int octet) {
        return binary ? octet : (octet >>> 4) * 10 + (octet & 0x0f);
    }

    private int hourOf(int octet) {
        if (hours24) {
            return decoded(octet);
        }
        int hour = decoded(octet & ~CmosRegisters.HOURS_PM);
        return (hour == 12 ? 0 : hour) + ((octet & CmosRegisters.HOURS_PM) != 0 ? 12 : 0);
    }

    private static int within(int value, int least, int most) {
        return Math.max(least, Math.min(value, most));
    }

    /**
     * How many seconds after that one the alarm's bytes match again: 1 to 86,400, or -1 if they
     * never do.
     *
     * @param second since 1970
     */
    int untilAlarm(long second, byte[] bytes) {
        int hours = bytes[CmosRegisters.HOURS_ALARM] & 0xff;
        int minutes = bytes[CmosRegisters.MINUTES_ALARM] & 0xff;
        int seconds = bytes[CmosRegisters.SECONDS_ALARM] & 0xff;
        int ofDay = (int) Math.floorMod(second, (long) DAY_SECONDS);
        // Skips what cannot match: a day is at most 24 hours, 60 minutes and 60 seconds of steps.
        for (int after = 1; after <= DAY_SECONDS; ) {
            int at = (ofDay + after) % DAY_SECONDS;
            if (!matches(hours, at / 3600, hourOf(hours))) {
                after += 3600 - at % 3600;
            } else if (!matches(minutes, at / 60 % 60, decoded(minutes))) {
                after += 60 - at % 60;
            } else if (!matches(seconds, at % 60, decoded(seconds))) {
                after++;
            } else {
                return after;
            }
        }
        return -1;
    }

    private static boolean matches(int octet, int value, int wanted) {
        return octet >= CmosRegisters.DO_NOT_CARE || value == wanted;
    }
}
