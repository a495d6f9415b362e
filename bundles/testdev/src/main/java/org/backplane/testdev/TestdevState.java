package org.backplane.testdev;

import java.util.Optional;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;

/**
 * What a test device knows beyond its settings.
 *
 * @param bar of the test that runs; 0 if none does
 * @param test that runs, -1 if none does
 * @param count writes that it detected, modulo 2^32
 */
record TestdevState(int bar, int test, int count) {
    static final String SCHEMA = "pci-testdev";
    static final int VERSION = 1;

    /** No test runs. */
    static final TestdevState REST = new TestdevState(0, -1, 0);

    /**
     * @param store saves itself, too
     */
    SavedState saved(Optional<BarStore> store) {
        SavedState.Builder into =
                SavedState.of(SCHEMA, VERSION)
                        .number("bar", bar)
                        .number("test", test)
                        .number("count", Integer.toUnsignedLong(count));
        store.ifPresent(behind -> behind.save(into));
        return into.build();
    }

    static TestdevState of(SavedState state) throws DeviceException {
        state.require(SCHEMA, VERSION);
        int test = (int) state.number("test", -1, -1, TestHeader.TESTS.size() - 1L);
        boolean runs = test >= 0;
        return new TestdevState(
                (int) state.number("bar", 0, 0, runs ? PciTestdev.PORTS : 0),
                test,
                (int) state.number("count", 0, 0, runs ? 0xffff_ffffL : 0));
    }
}
