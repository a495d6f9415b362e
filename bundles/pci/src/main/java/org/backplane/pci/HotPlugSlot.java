package org.backplane.pci;

/**
 * The slot of a root port: link and slot registers of its PCI Express capability, and the events of
 * native hot-plug (PCI Express 5.0, sections 6.7.3 and 7.5.3.6 to 7.5.3.11). Whoever changes it
 * holds the bus's lock.
 */
final class HotPlugSlot {
    private final ConfigSpace config;
    private final int at;

    /**
     * @param at where {@link #define} put the capability
     */
    HotPlugSlot(ConfigSpace config, int at) {
        this.config = config;
        this.at = at;
    }

    /** Lays the capability down; the pointer to the next one is the caller's. */
    static void define(ConfigSpace space, int at, int portNumber, int slotNumber) {
        space.define(at + Type0Header.CAPABILITY_ID, 1, ExpressCapability.ID, 0);
        space.define(at + ExpressCapability.FLAGS, 2, ExpressCapability.ROOT_PORT_FLAGS, 0);
        space.define(
                at + ExpressCapability.DEVICE_CAPABILITIES,
                4,
                ExpressCapability.DEVICE_CAPABILITIES_VALUE,
                0);
        space.define(
                at + ExpressCapability.DEVICE_CONTROL,
                2,
                ExpressCapability.DEVICE_CONTROL_INITIAL,
                ExpressCapability.DEVICE_CONTROL_WRITABLE);
        space.defineClearedByOne(
                at + ExpressCapability.DEVICE_STATUS, 2, ExpressCapability.DEVICE_STATUS_ERRORS);
        defineLink(space, at, portNumber);
        defineSlot(space, at, slotNumber);
        space.define(
                at + ExpressCapability.ROOT_CONTROL, 2, 0, ExpressCapability.ROOT_CONTROL_WRITABLE);
        space.defineClearedByOne(
                at + ExpressCapability.ROOT_STATUS, 4, ExpressCapability.ROOT_STATUS_PME);
    }

    private static void defineLink(ConfigSpace space, int at, int portNumber) {
        space.define(
                at + ExpressCapability.LINK_CAPABILITIES,
                4,
                ExpressCapability.LINK_SPEED_AND_WIDTH
                        | ExpressCapability.LINK_ACTIVE_REPORTING
                        | (long) portNumber << ExpressCapability.LINK_PORT_NUMBER_SHIFT,
                0);
        space.define(
                at + ExpressCapability.LINK_CONTROL, 2, 0, ExpressCapability.LINK_CONTROL_WRITABLE);
        space.define(
                at + ExpressCapability.LINK_STATUS, 2, ExpressCapability.LINK_SPEED_AND_WIDTH, 0);
        space.defineDriven(at + ExpressCapability.LINK_STATUS, 2, ExpressCapability.LINK_ACTIVE);
        space.define(
                at + ExpressCapability.LINK_CAPABILITIES_2, 4, ExpressCapability.LINK_SPEEDS, 0);
        space.define(
                at + ExpressCapability.LINK_CONTROL_2,
                2,
                ExpressCapability.LINK_TARGET_SPEED,
                ExpressCapability.LINK_TARGET_SPEED_MASK);
    }

    private static void defineSlot(ConfigSpace space, int at, int slotNumber) {
        space.define(
                at + ExpressCapability.SLOT_CAPABILITIES,
                4,
                ExpressCapability.SLOT_ATTENTION_BUTTON
                        | ExpressCapability.SLOT_POWER_CONTROLLER
                        | ExpressCapability.SLOT_ATTENTION_INDICATOR
                        | ExpressCapability.SLOT_POWER_INDICATOR
                        | ExpressCapability.SLOT_SURPRISE
                        | ExpressCapability.SLOT_HOT_PLUG
                        | (long) slotNumber << ExpressCapability.SLOT_NUMBER_SHIFT,
                0);
        space.define(
                at + ExpressCapability.SLOT_CONTROL,
                2,
                control(false),
                ExpressCapability.CONTROL_WRITABLE);
        space.defineClearedByOne(at + ExpressCapability.SLOT_STATUS, 2, ExpressCapability.EVENTS);
        space.defineDriven(
                at + ExpressCapability.SLOT_STATUS, 2, ExpressCapability.STATUS_PRESENCE);
    }

    /** Slot control as firmware leaves it: power and its indicator on where there is a card. */
    private static int control(boolean populated) {
        int power =
                populated
                        ? ExpressCapability.INDICATOR_ON
                                << ExpressCapability.CONTROL_POWER_INDICATOR_SHIFT
                        : ExpressCapability.INDICATOR_OFF
                                        << ExpressCapability.CONTROL_POWER_INDICATOR_SHIFT
                                | ExpressCapability.CONTROL_POWER_OFF;
        return power | ExpressCapability.INDICATOR_OFF << ExpressCapability.CONTROL_ATTENTION_SHIFT;
    }

    /** As firmware finds and leaves it: no event, nobody told. */
    void firmware(boolean populated) {
        config.write(at + ExpressCapability.SLOT_CONTROL, 2, control(populated));
        setPresent(populated);
        setLink(populated);
        config.drive(at + ExpressCapability.SLOT_STATUS, 2, ExpressCapability.EVENTS, false);
    }

    /** Whether a dword of configuration space is link control, or slot control and status. */
    boolean controls(int dword) {
        return dword == at + ExpressCapability.LINK_CONTROL
                || dword == at + ExpressCapability.SLOT_CONTROL;
    }

    /** Every write to slot control is a command, and is carried out at once. */
    void written(int offset, int width) {
        int control = at + ExpressCapability.SLOT_CONTROL;
        if (offset < control + 2 && control < offset + width) {
            event(ExpressCapability.EVENT_COMMAND_COMPLETED);
        }
    }

    boolean linkDisabled() {
        return config.any(at + ExpressCapability.LINK_CONTROL, ExpressCapability.LINK_DISABLE);
    }

    boolean powered() {
        return !config.any(
                at + ExpressCapability.SLOT_CONTROL, ExpressCapability.CONTROL_POWER_OFF);
    }

    boolean present() {
        return config.any(at + ExpressCapability.SLOT_STATUS, ExpressCapability.STATUS_PRESENCE);
    }

    boolean linkActive() {
        return config.any(at + ExpressCapability.LINK_STATUS, ExpressCapability.LINK_ACTIVE);
    }

    /** Presence detect; a change is an event. */
    void present(boolean now) {
        if (now != present()) {
            setPresent(now);
            event(ExpressCapability.EVENT_PRESENCE);
        }
    }

    /** Data link layer link active; a change is an event. */
    void link(boolean now) {
        if (now != linkActive()) {
            setLink(now);
            event(ExpressCapability.EVENT_LINK);
        }
    }

    private void setPresent(boolean now) {
        config.drive(at + ExpressCapability.SLOT_STATUS, 2, ExpressCapability.STATUS_PRESENCE, now);
    }

    private void setLink(boolean now) {
        config.drive(at + ExpressCapability.LINK_STATUS, 2, ExpressCapability.LINK_ACTIVE, now);
    }

    /** The attention button. */
    void press() {
        event(ExpressCapability.EVENT_BUTTON);
    }

    private void event(int bit) {
        config.drive(at + ExpressCapability.SLOT_STATUS, 2, bit, true);
    }

    /** Whether the guest asked to be told of the attention button. */
    boolean heedsButton() {
        int control = control();
        return (control & ExpressCapability.CONTROL_INTERRUPT_ENABLE) != 0
                && (control & ExpressCapability.EVENT_BUTTON) != 0;
    }

    /** Whether the guest makes the power indicator blink: it is about to switch power. */
    boolean blinking() {
        return (control() >>> ExpressCapability.CONTROL_POWER_INDICATOR_SHIFT & 0b11)
                == ExpressCapability.INDICATOR_BLINK;
    }

    /** Whether an event that the guest enabled is there (section 6.7.3.4). */
    boolean interrupting() {
        int control = control();
        int enabled =
                control
                        & (ExpressCapability.EVENT_BUTTON
                                | ExpressCapability.EVENT_PRESENCE
                                | ExpressCapability.EVENT_COMMAND_COMPLETED);
        if ((control & ExpressCapability.CONTROL_LINK_ENABLE) != 0) {
            enabled |= ExpressCapability.EVENT_LINK;
        }
        return (control & ExpressCapability.CONTROL_INTERRUPT_ENABLE) != 0
                && config.any(at + ExpressCapability.SLOT_STATUS, enabled);
    }

    private int control() {
        return (int) config.read(at + ExpressCapability.SLOT_CONTROL, 2);
    }
}
