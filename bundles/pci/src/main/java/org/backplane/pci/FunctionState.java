package org.backplane.pci;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;

/**
 * The state of a function as it is saved: {@code pci-function}, version 1. Names: {@code config},
 * the 256 bytes; {@code extended}, the bytes behind them where the function has extended registers,
 * missing for as they were made; {@code home0} to {@code home5}, where firmware put each BAR,
 * missing for nowhere; {@code msix-table} and {@code msix-pending} as they lie in their BARs,
 * little-endian. MSI lies in {@code config}.
 *
 * @param config all of the space
 * @param homes by register, in the order of the shape
 * @param msix null if the function has none
 */
record FunctionState(byte[] config, List<Long> homes, MsixTable.State msix) {
    static final String SCHEMA = "pci-function";
    static final int VERSION = 1;

    private static final String CONFIG = "config";
    private static final String EXTENDED = "extended";
    private static final String HOME = "home";
    private static final String TABLE = "msix-table";
    private static final String PENDING = "msix-pending";

    SavedState toSaved(List<BaseAddressRegister> registers) {
        int conventional = Type0Header.SPACE_SIZE;
        SavedState.Builder saved =
                SavedState.of(SCHEMA, VERSION).bytes(CONFIG, Arrays.copyOf(config, conventional));
        if (config.length > conventional) {
            saved.bytes(EXTENDED, Arrays.copyOfRange(config, conventional, config.length));
        }
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
     * Reads a state of unknown origin. Configuration space and MSI-X have to be there: no default
     * would be what the guest knows.
     *
     * @throws DeviceException it cannot be one of the function that has these parts
     */
    static FunctionState of(
            SavedState saved,
            ConfigSpace space,
            List<BaseAddressRegister> registers,
            MsixTable msix)
            throws DeviceException {
        saved.require(SCHEMA, VERSION);
        byte[] config = config(saved, space);
        int foreign = space.firstForeign(config);
        if (foreign >= 0) {
            throw saved.damaged(
                    "the register at 0x%x holds what this function's never does", foreign);
        }
        List<Long> homes = new ArrayList<>();
        for (BaseAddressRegister register : registers) {
            String name = HOME + register.bar().index();
            long home = saved.number(name, BaseAddressRegister.NOWHERE);
            if (saved.numbers().containsKey(name) && !register.fits(home)) {
                throw saved.damaged(
                        "'%s' is 0x%x, which no window of the bridge permits", name, home);
            }
            homes.add(home);
        }
        return new FunctionState(config, homes, msix == null ? null : msix(saved, msix));
    }

    private static byte[] config(SavedState saved, ConfigSpace space) throws DeviceException {
        byte[] config = space.initial();
        int conventional = Type0Header.SPACE_SIZE;
        System.arraycopy(bytes(saved, CONFIG, conventional), 0, config, 0, conventional);
        int length = config.length - conventional;
        byte[] extended = length == 0 ? null : saved.bytes(EXTENDED, length, length);
        if (extended != null) {
            System.arraycopy(extended, 0, config, conventional, length);
        }
        return config;
    }

    private static MsixTable.State msix(SavedState saved, MsixTable msix) throws DeviceException {
        MsixTable.State state =
                new MsixTable.State(
                        bytes(saved, TABLE, msix.tableLength()),
                        bytes(saved, PENDING, msix.pbaLength()));
        String objection = msix.objection(state);
        if (objection != null) {
            throw saved.damaged("the MSI-X table " + objection);
        }
        return state;
    }

    private static byte[] bytes(SavedState saved, String name, int length) throws DeviceException {
        byte[] value = saved.bytes(name, length, length);
        if (value == null) {
            throw saved.damaged("'%s' is missing", name);
        }
        return value;
    }
}
