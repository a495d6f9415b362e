package org.backplane.chipset;

/**
 * Offsets of the Goldfish real-time clock's 32-bit registers (Android emulator, GOLDFISH-VIRTUAL-
 * HARDWARE, "Goldfish RTC"; Linux drivers/rtc/rtc-goldfish.c). Times are in nanoseconds since 1970.
 */
final class RtcRegisters {
    /** Reading latches the high half. */
    static final int TIME_LOW = 0x00;

    static final int TIME_HIGH = 0x04;

    /** Writing sets the alarm to the value written here and the one written to ALARM_HIGH. */
    static final int ALARM_LOW = 0x08;

    static final int ALARM_HIGH = 0x0c;
    static final int IRQ_ENABLED = 0x10;
    static final int CLEAR_ALARM = 0x14;
    static final int ALARM_STATUS = 0x18;
    static final int CLEAR_INTERRUPT = 0x1c;

    /** In bytes. */
    static final int SIZE = 0x20;

    static final int WIDTH = 4;

    private RtcRegisters() {}
}
