package org.backplane.hart;

import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.StateReader;

/**
 * The control and status registers of a hart as they are saved, by their names in the
 * specifications; part of {@link HartRecord}'s schema.
 *
 * @param user privilege mode: U, else S
 */
record CsrRecord(
        boolean user,
        long sstatus,
        long stvec,
        long scounteren,
        long senvcfg,
        long sscratch,
        long sepc,
        long scause,
        long stval,
        long siselect,
        long satp,
        long fcsr) {
    void write(SavedState.Builder state) {
        state.number("user", user ? 1 : 0)
                .number("sstatus", sstatus)
                .number("stvec", stvec)
                .number("scounteren", scounteren)
                .number("senvcfg", senvcfg)
                .number("sscratch", sscratch)
                .number("sepc", sepc)
                .number("scause", scause)
                .number("stval", stval)
                .number("siselect", siselect)
                .number("satp", satp)
                .number("fcsr", fcsr);
    }

    static CsrRecord read(StateReader state) throws HypervisorException {
        long satp = state.number("satp", 0, StateReader.ANY);
        if (!Mmu.holds(satp)) {
            throw state.impossible("satp", satp);
        }
        return new CsrRecord(
                state.flag("user"),
                state.number("sstatus", 0, Csrs.STATUS_WRITABLE),
                state.number("stvec", 0, ~Csrs.VECTOR_RESERVED),
                state.number("scounteren", Csrs.COUNTERS, Csrs.COUNTERS),
                state.number("senvcfg", 0, Csrs.ENVIRONMENT_FIOM),
                state.number("sscratch", 0, StateReader.ANY),
                state.number("sepc", 0, ~1L),
                state.number("scause", 0, StateReader.ANY),
                state.number("stval", 0, StateReader.ANY),
                state.number("siselect", 0, Csrs.SELECT_MASK),
                satp,
                state.number("fcsr", 0, Csrs.FCSR_MASK));
    }
}
