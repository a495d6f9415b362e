package org.backplane.pci;

import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;

/**
 * The state of a root port as it is saved: {@code root-port}, version 1. Names: {@code config}, the
 * 256 bytes; {@code asked}, {@code recovering} and {@code arrived}, missing for no.
 *
 * @param asked whether the guest has been asked to let the function go
 * @param recovering whether the function has yet to be reset before its link comes up
 * @param arrived whether a card came, and power was not switched on since
 */
record RootPortState(byte[] config, boolean asked, boolean recovering, boolean arrived) {
    static final String SCHEMA = "root-port";
    static final int VERSION = 1;

    private static final String CONFIG = "config";
    private static final String ASKED = "asked";
    private static final String RECOVERING = "recovering";
    private static final String ARRIVED = "arrived";

    SavedState toSaved() {
        SavedState.Builder saved = SavedState.of(SCHEMA, VERSION).bytes(CONFIG, config);
        if (asked) {
            saved.number(ASKED, 1);
        }
        if (recovering) {
            saved.number(RECOVERING, 1);
        }
        if (arrived) {
            saved.number(ARRIVED, 1);
        }
        return saved.build();
    }

    /**
     * Reads a state of unknown origin.
     *
     * @throws DeviceException it is none of the port that has this space
     */
    static RootPortState of(SavedState saved, ConfigSpace space) throws DeviceException {
        saved.require(SCHEMA, VERSION);
        byte[] config = saved.bytes(CONFIG, Type0Header.SPACE_SIZE, Type0Header.SPACE_SIZE);
        if (config == null) {
            throw saved.damaged("'%s' is missing", CONFIG);
        }
        int foreign = space.firstForeign(config);
        if (foreign >= 0) {
            throw saved.damaged("the register at 0x%x holds what a port's never does", foreign);
        }
        return new RootPortState(
                config,
                saved.flag(ASKED, false),
                saved.flag(RECOVERING, false),
                saved.flag(ARRIVED, false));
    }
}
