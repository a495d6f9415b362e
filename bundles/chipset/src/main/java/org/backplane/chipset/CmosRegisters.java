package org.backplane.chipset;

/**
 * The real-time clock and memory of a PC: two ports, and 128 bytes behind them (Motorola MC146818,
 * "Address map" and "Registers"; century by the convention of ACPI 6.5, 5.2.9, CENTURY).
 */
final class CmosRegisters {
    /** The first port: bit 7 is the chipset's mask of the NMI, the others are the address. */
    static final int INDEX = 0;

    /** The second port: the byte at the address. */
    static final int DATA = 1;

    /** Of ports, in bytes. */
    static final int PORTS = 2;

    /** Where a PC has the ports. */
    static final long BASE = 0x70;

    static final int ADDRESS_MASK = 0x7f;

    /** Bytes behind the ports. */
    static final int SIZE = 128;

    static final int SECONDS = 0x00;
    static final int SECONDS_ALARM = 0x01;
    static final int MINUTES = 0x02;
    static final int MINUTES_ALARM = 0x03;
    static final int HOURS = 0x04;
    static final int HOURS_ALARM = 0x05;

    /** 1 is Sunday. */
    static final int DAY_OF_WEEK = 0x06;

    static final int DAY_OF_MONTH = 0x07;
    static final int MONTH = 0x08;
    static final int YEAR = 0x09;
    static final int A = 0x0a;
    static final int B = 0x0b;
    static final int C = 0x0c;
    static final int D = 0x0d;
    static final int CENTURY = 0x32;

    /** Of an hour in the mode of twelve: after noon. */
    static final int HOURS_PM = 0x80;

    /** An alarm's byte from here on matches every value. */
    static final int DO_NOT_CARE = 0xc0;

    /** Update in progress: the time changes within 244 us; read only. */
    static final int A_UIP = 0x80;

    /** The divider's three bits; it counts with {@link #A_DIVIDER_ON} and stands still else. */
    static final int A_DIVIDER = 0x70;

    static final int A_DIVIDER_ON = 0x20;

    /** Which tap of the divider makes the periodic interrupt; 0 for none. */
    static final int A_RATE = 0x0f;

    /** Stops the time so that it can be set. */
    static final int B_SET = 0x80;

    static final int B_PERIODIC = 0x40;
    static final int B_ALARM = 0x20;
    static final int B_UPDATE = 0x10;
    static final int B_SQUARE_WAVE = 0x08;
    static final int B_BINARY = 0x04;
    static final int B_24_HOURS = 0x02;

    /** The interrupts' enable bits; C has their flags at the same places. */
    static final int INTERRUPTS = B_PERIODIC | B_ALARM | B_UPDATE;

    static final int C_IRQ = 0x80;

    /** The memory is valid: the battery was never empty. */
    static final int D_VALID = 0x80;

    /** As a PC's firmware leaves it: 32,768 Hz crystal, 1,024 Hz. */
    static final int A_INITIAL = A_DIVIDER_ON | 0x06;

    /** As a PC's firmware leaves it: binary coded decimals, 24 hours. */
    static final int B_INITIAL = B_24_HOURS;

    private CmosRegisters() {}

    /** Whether the time stands still in the registers, by A and B. */
    static boolean stopped(int a, int b) {
        return (b & B_SET) != 0 || (a & A_DIVIDER) != A_DIVIDER_ON;
    }

    /** Whether the clock writes the byte at the address while it runs. */
    static boolean isTime(int address) {
        return switch (address) {
            case SECONDS, MINUTES, HOURS, DAY_OF_WEEK, DAY_OF_MONTH, MONTH, YEAR, CENTURY -> true;
            default -> false;
        };
    }
}
