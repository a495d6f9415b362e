package org.backplane.hart;

import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.StateReader;

/**
 * Where a hart is in its life, as it is saved; part of {@link HartRecord}'s schema.
 *
 * @param status by SBI's number (SBI 2.0, table 13)
 * @param waiting for an interrupt
 * @param starts whether it is to start at the entry point when it goes on
 * @param entryPc where, with what follows in a0 and a1
 */
record LifeRecord(
        int status, boolean waiting, boolean starts, long entryPc, long entryA0, long entryA1) {
    static final int STARTED = 0;
    static final int STOPPED = 1;
    static final int START_PENDING = 2;
    static final int SUSPENDED = 4;

    private static final String ENTRY = "entry";
    private static final String ENTRY_SCHEMA = "hart-entry";
    private static final int ENTRY_VERSION = 1;
    private static final long NUMBERS = 7;

    void write(SavedState.Builder state) {
        state.number("status", status).number("waiting", waiting ? 1 : 0);
        if (starts) {
            state.child(
                    ENTRY,
                    SavedState.of(ENTRY_SCHEMA, ENTRY_VERSION)
                            .number("pc", entryPc)
                            .number("a0", entryA0)
                            .number("a1", entryA1)
                            .build());
        }
    }

    static LifeRecord read(StateReader state, String part) throws HypervisorException {
        int status = (int) state.number("status", STOPPED, NUMBERS);
        boolean waiting = state.flag("waiting");
        boolean starts = state.hasChild(ENTRY);
        boolean possible =
                switch (status) {
                    case STARTED -> !starts;
                    case STOPPED -> !starts && !waiting;
                    case START_PENDING -> starts && !waiting;
                    case SUSPENDED -> waiting;
                    default -> false;
                };
        if (!possible) {
            throw state.refusal(
                    "its status cannot be %d, %s, %s",
                    status,
                    waiting ? "waiting" : "not waiting",
                    starts ? "with an entry point" : "without an entry point");
        }
        if (!starts) {
            return new LifeRecord(status, waiting, false, 0, 0, 0);
        }
        StateReader entry =
                state.child(ENTRY, part + "'s entry point", ENTRY_SCHEMA, ENTRY_VERSION);
        return new LifeRecord(
                status,
                waiting,
                true,
                entry.number("pc", 0, StateReader.ANY),
                entry.number("a0", 0, StateReader.ANY),
                entry.number("a1", 0, StateReader.ANY));
    }
}
