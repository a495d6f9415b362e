package org.backplane.pci;

/**
 * Layout of the PCI Express capability, and values of a root port's: offsets in bytes from its
 * start, and bits (PCI Express 5.0, section 7.5.3).
 */
final class ExpressCapability {
    static final int ID = 0x10;
    static final int LENGTH = 0x3c;

    static final int FLAGS = 0x02;
    static final int DEVICE_CAPABILITIES = 0x04;
    static final int DEVICE_CONTROL = 0x08;
    static final int DEVICE_STATUS = 0x0a;
    static final int LINK_CAPABILITIES = 0x0c;
    static final int LINK_CONTROL = 0x10;
    static final int LINK_STATUS = 0x12;
    static final int SLOT_CAPABILITIES = 0x14;
    static final int SLOT_CONTROL = 0x18;
    static final int SLOT_STATUS = 0x1a;
    static final int ROOT_CONTROL = 0x1c;
    static final int ROOT_STATUS = 0x20;
    static final int DEVICE_CONTROL_2 = 0x28;
    static final int LINK_CAPABILITIES_2 = 0x2c;
    static final int LINK_CONTROL_2 = 0x30;

    /** Capability version 2, root port, slot implemented, interrupt message 0. */
    static final int ROOT_PORT_FLAGS = 2 | 4 << 4 | 1 << 8;

    /** Role-based error reporting; payloads of 128 bytes. */
    static final int DEVICE_CAPABILITIES_VALUE = 1 << 15;

    /** Error reporting enables, relaxed ordering, payload size, no snoop, read request size. */
    static final int DEVICE_CONTROL_WRITABLE = 0x78ff;

    /** Read requests of 512 bytes, no snoop and relaxed ordering allowed. */
    static final int DEVICE_CONTROL_INITIAL = 0x2810;

    static final int DEVICE_STATUS_ERRORS = 0xf;

    /** 16 GT/s, 16 lanes. */
    static final int LINK_SPEED_AND_WIDTH = 4 | 16 << 4;

    static final int LINK_ACTIVE_REPORTING = 1 << 20;
    static final int LINK_PORT_NUMBER_SHIFT = 24;

    /** 2.5, 5, 8 and 16 GT/s. */
    static final int LINK_SPEEDS = 0b1111 << 1;

    static final int LINK_TARGET_SPEED = 4;
    static final int LINK_TARGET_SPEED_MASK = 0xf;

    static final int LINK_DISABLE = 1 << 4;

    /** Power management, read completion boundary, disable, common clock, extended sync. */
    static final int LINK_CONTROL_WRITABLE = 0xdb;

    static final int LINK_ACTIVE = 1 << 13;

    static final int SLOT_ATTENTION_BUTTON = 1 << 0;
    static final int SLOT_POWER_CONTROLLER = 1 << 1;
    static final int SLOT_ATTENTION_INDICATOR = 1 << 3;
    static final int SLOT_POWER_INDICATOR = 1 << 4;
    static final int SLOT_SURPRISE = 1 << 5;
    static final int SLOT_HOT_PLUG = 1 << 6;
    static final int SLOT_NUMBER_SHIFT = 19;

    /** The enables of slot control lie at the bits of slot status that they are for. */
    static final int EVENT_BUTTON = 1 << 0;

    static final int EVENT_PRESENCE = 1 << 3;
    static final int EVENT_COMMAND_COMPLETED = 1 << 4;
    static final int EVENT_LINK = 1 << 8;

    /** Enable of the event of bit 8, the only one that is elsewhere. */
    static final int CONTROL_LINK_ENABLE = 1 << 12;

    static final int CONTROL_INTERRUPT_ENABLE = 1 << 5;
    static final int CONTROL_ATTENTION_SHIFT = 6;
    static final int CONTROL_POWER_INDICATOR_SHIFT = 8;
    static final int CONTROL_POWER_OFF = 1 << 10;

    /** Events that this port has: no power fault, no latch. */
    static final int EVENTS = EVENT_BUTTON | EVENT_PRESENCE | EVENT_COMMAND_COMPLETED | EVENT_LINK;

    static final int CONTROL_WRITABLE =
            EVENT_BUTTON
                    | EVENT_PRESENCE
                    | EVENT_COMMAND_COMPLETED
                    | CONTROL_INTERRUPT_ENABLE
                    | 0b11 << CONTROL_ATTENTION_SHIFT
                    | 0b11 << CONTROL_POWER_INDICATOR_SHIFT
                    | CONTROL_POWER_OFF
                    | CONTROL_LINK_ENABLE;

    static final int STATUS_PRESENCE = 1 << 6;

    /** Values of an indicator (section 7.5.3.10). */
    static final int INDICATOR_ON = 1;

    static final int INDICATOR_BLINK = 2;
    static final int INDICATOR_OFF = 3;

    static final int ROOT_CONTROL_WRITABLE = 0x1f;
    static final int ROOT_STATUS_PME = 1 << 16;

    private ExpressCapability() {}
}
