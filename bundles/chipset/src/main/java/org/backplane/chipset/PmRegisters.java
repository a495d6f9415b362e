package org.backplane.chipset;

/**
 * The fixed hardware of ACPI in I/O ports (ACPI 6.5, 4.8.3): the event block, the control block,
 * the timer, and the register that resets.
 */
final class PmRegisters {
    /** Regions of the chip in the order in which it claims them: offset from the base. */
    static final int EVENT = 0x0;

    static final int CONTROL = 0x4;
    static final int TIMER = 0x8;
    static final int RESET = 0xc;

    /** In bytes, of each block. */
    static final int EVENT_SIZE = 4;

    static final int CONTROL_SIZE = 2;
    static final int TIMER_SIZE = 4;
    static final int RESET_SIZE = 1;

    /** Where the registers are unless a base is set. */
    static final long BASE = 0x600;

    /** The bits of an enable register are behind those of its status, 16 bits further. */
    static final int ENABLE_SHIFT = 16;

    /** The timer's highest bit has changed. */
    static final int TMR = 0x0001;

    /** The global lock was let go. */
    static final int GBL = 0x0020;

    /** The power button was pressed. */
    static final int PWRBTN = 0x0100;

    /** What of the status a driver clears by writing ones. */
    static final int EVENTS = TMR | GBL | PWRBTN;

    /** The clock's alarm, which would end a sleep: there is none, so the status never tells it. */
    static final int RTC = 0x0400;

    /** What a driver may enable. Drivers of the clock do, and complain if it does not stay. */
    static final int ENABLES = EVENTS | RTC;

    /** The machine's events go to the operating system: always. */
    static final int CONTROL_SCI_EN = 0x0001;

    static final int CONTROL_SLP_TYP = 0x1c00;
    static final int CONTROL_SLP_TYP_SHIFT = 10;

    /** Write only: enters the sleeping state of SLP_TYP. */
    static final int CONTROL_SLP_EN = 0x2000;

    /** Read back as written. */
    static final int CONTROL_KEPT = CONTROL_SLP_TYP;

    /** SLP_TYP of soft off; there is no other sleeping state. */
    static final int S5 = 5;

    /** In Hz (4.8.3.3). */
    static final long TIMER_FREQUENCY = 3_579_545;

    /** Of the timer's value. */
    static final int TIMER_BITS = 32;

    private PmRegisters() {}
}
