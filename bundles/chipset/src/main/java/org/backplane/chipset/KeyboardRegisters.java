package org.backplane.chipset;

/**
 * The keyboard controller of a PC: two ports, its commands and the bits of its bytes (Intel 8042 as
 * the IBM PS/2 Hardware Interface Technical Reference describes it, "Keyboard and Auxiliary Device
 * Controller").
 */
final class KeyboardRegisters {
    /** Where a PC has the port for data. */
    static final long BASE = 0x60;

    /** From the data port to that for status, when read, and commands, when written. */
    static final int CONTROL_OFFSET = 4;

    static final int STATUS_OUTPUT_FULL = 0x01;

    /** Self-test passed: bit 2 of the command byte. */
    static final int STATUS_SYSTEM = 0x04;

    /** The last write was a command, not data. */
    static final int STATUS_COMMAND = 0x08;

    /** The keyboard is not locked. */
    static final int STATUS_UNLOCKED = 0x10;

    /** The output buffer is from the auxiliary device. */
    static final int STATUS_AUX = 0x20;

    /** A device did not answer. */
    static final int STATUS_TIME_OUT = 0x40;

    /** What a controller gives for a device that does not answer. */
    static final int NO_ANSWER = 0xfe;

    static final int MODE_INTERRUPT = 0x01;
    static final int MODE_AUX_INTERRUPT = 0x02;
    static final int MODE_SYSTEM = 0x04;
    static final int MODE_DISABLE = 0x10;
    static final int MODE_AUX_DISABLE = 0x20;
    static final int MODE_TRANSLATE = 0x40;
    static final int MODE_WRITABLE = 0x7f;

    /** As a PC's firmware leaves it without a keyboard. */
    static final int MODE_INITIAL = MODE_SYSTEM | MODE_TRANSLATE;

    /** The first of 32, one for each byte of the controller's memory; it has the command byte. */
    static final int READ_MEMORY = 0x20;

    static final int WRITE_MEMORY = 0x60;

    /** Of memory commands. */
    static final int MEMORY_COMMANDS = 32;

    static final int DISABLE_AUX = 0xa7;
    static final int ENABLE_AUX = 0xa8;
    static final int TEST_AUX = 0xa9;
    static final int SELF_TEST = 0xaa;
    static final int TEST_KEYBOARD = 0xab;
    static final int DISABLE_KEYBOARD = 0xad;
    static final int ENABLE_KEYBOARD = 0xae;
    static final int READ_INPUT_PORT = 0xc0;
    static final int READ_OUTPUT_PORT = 0xd0;
    static final int WRITE_OUTPUT_PORT = 0xd1;
    static final int LOOP_KEYBOARD = 0xd2;
    static final int LOOP_AUX = 0xd3;
    static final int WRITE_AUX = 0xd4;
    static final int READ_TEST_INPUTS = 0xe0;

    /** The first of 16: bits of the output port that are zero in the command go low for 6 us. */
    static final int PULSE = 0xf0;

    static final int SELF_TEST_PASSED = 0x55;
    static final int TEST_PASSED = 0x00;

    /** The input port: the keyboard is not locked. */
    static final int INPUT_UNLOCKED = 0x80;

    /** The output port's bit that keeps the processor out of reset. */
    static final int OUTPUT_NO_RESET = 0x01;

    /** The output port's gate of address line 20. */
    static final int OUTPUT_A20 = 0x02;

    static final int OUTPUT_INTERRUPT = 0x10;
    static final int OUTPUT_AUX_INTERRUPT = 0x20;

    private KeyboardRegisters() {}
}
