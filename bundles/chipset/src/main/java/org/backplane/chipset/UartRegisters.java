package org.backplane.chipset;

/**
 * The 16550A's registers and their bits (National Semiconductor PC16550D, section 8, tables II to
 * V): eight registers of one byte, reg-shift 0.
 */
final class UartRegisters {
    /** Receiver buffer when read, transmitter holding when written; divisor's low byte if DLAB. */
    static final int DATA = 0;

    /** Interrupt enable; divisor's high byte if DLAB. */
    static final int IER = 1;

    /** Interrupt identification when read. */
    static final int IIR = 2;

    /** FIFO control when written. */
    static final int FCR = 2;

    static final int LCR = 3;
    static final int MCR = 4;
    static final int LSR = 5;
    static final int MSR = 6;
    static final int SCR = 7;

    /** In bytes. */
    static final int SIZE = 8;

    static final int IER_RECEIVED = 0x01;
    static final int IER_TRANSMITTER_EMPTY = 0x02;
    static final int IER_LINE_STATUS = 0x04;
    static final int IER_MODEM_STATUS = 0x08;
    static final int IER_WRITABLE = 0x0f;

    static final int IIR_NONE = 0x01;
    static final int IIR_MODEM_STATUS = 0x00;
    static final int IIR_TRANSMITTER_EMPTY = 0x02;
    static final int IIR_RECEIVED = 0x04;
    static final int IIR_LINE_STATUS = 0x06;
    static final int IIR_TIME_OUT = 0x0c;
    static final int IIR_FIFOS_ENABLED = 0xc0;

    static final int FCR_ENABLE = 0x01;
    static final int FCR_CLEAR_RECEIVER = 0x02;
    static final int FCR_TRIGGER = 0xc0;

    static final int LCR_DIVISOR_LATCH = 0x80;

    static final int MCR_DTR = 0x01;
    static final int MCR_RTS = 0x02;
    static final int MCR_OUT1 = 0x04;
    static final int MCR_OUT2 = 0x08;
    static final int MCR_LOOPBACK = 0x10;
    static final int MCR_WRITABLE = 0x1f;

    static final int LSR_DATA_READY = 0x01;
    static final int LSR_OVERRUN = 0x02;
    static final int LSR_TRANSMITTER_EMPTY = 0x60;

    static final int MSR_DELTAS = 0x0f;
    static final int MSR_TRAILING_EDGE_OF_RING = 0x04;
    static final int MSR_CTS = 0x10;
    static final int MSR_DSR = 0x20;
    static final int MSR_RING = 0x40;
    static final int MSR_DCD = 0x80;

    private UartRegisters() {}
}
