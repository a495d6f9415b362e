package org.backplane.pci;

import java.util.ArrayList;
import java.util.List;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;

/**
 * The state of a function as it is saved: {@code pci-function}, version 1. Names: {@code config},
 * the 256 bytes; {@code home0} to {@code home5}, where firmware put each BAR, missing for nowhere;
 * {@code msix-table} and {@code msix-pending} as they lie in their BARs, little-endian.
 *
 * @param homes by register, in the order of the shape
 * @param msix null if the function has none
 */
record FunctionState(byte[] config, List<Long> homes, MsixTable.State msix) {
    static final String SCHEMA = "pci-function";
    static final int VERSION = 1;

    private static final String CONFIG = "config";
    private static final String HOME = "home";
    private static final String TABLE = "msix-table";
    private static final String PENDING = "msix-pending";

    SavedState toSaved(List<BaseAddressRegister> registers) {
        SavedState.Builder saved = SavedState.of(SCHEMA, VERSION).bytes(CONFIG, config);
        for (int i = 0; i < homes.size(); i++) {
            if (homes.get(i) != BaseAddressRegister.NOWHERE) {
                saved.number(HOME + registers.get(i).bar().index(), homes.get(i));
            }
        }
        if (msix != null) {
            saved.bytes(TABLE, msix.table()).bytes(PENDING, msix.pending());
        }
        return saved.build();
    }

    /**
     * Reads a state of unknown origin.
     *
     * @throws DeviceException it cannot be one of the function that has these parts
     */
    static FunctionState of(
            SavedState saved,
            String slot,
            ConfigSpace space,
            List<BaseAddressRegister> registers,
            MsixTable msix)
            throws DeviceException {
        saved.require(SCHEMA, VERSION);
        byte[] config = saved.bytes(CONFIG);
        require(
                config != null && config.length == Type0Header.SPACE_SIZE,
                slot,
                "has no %d bytes of configuration space",
                Type0Header.SPACE_SIZE);
        int foreign = space.firstForeign(config);
        require(foreign < 0, slot, "is of another function: see the register at 0x%x", foreign);
        List<Long> homes = new ArrayList<>();
        for (BaseAddressRegister register : registers) {
            int index = register.bar().index();
            long home = saved.number(HOME + index, BaseAddressRegister.NOWHERE);
            require(
                    home == BaseAddressRegister.NOWHERE || register.fits(home),
                    slot,
                    "has BAR %d at 0x%x, which no window of the bridge permits",
                    index,
                    home);
            homes.add(home);
        }
        return new FunctionState(config, homes, msix(saved, slot, msix));
    }

    private static MsixTable.State msix(SavedState saved, String slot, MsixTable msix)
            throws DeviceException {
        byte[] table = saved.bytes(TABLE);
        byte[] pending = saved.bytes(PENDING);
        if (msix == null) {
            return null;
        }
        require(table != null && pending != null, slot, "has no MSI-X table");
        MsixTable.State state = new MsixTable.State(table, pending);
        String objection = msix.objection(state);
        require(objection == null, slot, "has an MSI-X table that " + objection);
        return state;
    }

    private static void require(boolean held, String slot, String objection, Object... values)
            throws DeviceException {
        if (!held) {
            throw new DeviceException(
                    "The saved PCI state of %s %s.".formatted(slot, objection.formatted(values)));
        }
    }
}
