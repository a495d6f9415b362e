package org.backplane.hart;

import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.StateReader;

/**
 * The registers of a hart as they are saved, part of {@link HartRecord}'s schema.
 *
 * @param x x0 to x31
 * @param f f0 to f31, singles boxed
 * @param retired instructions completed
 */
record RegisterRecord(long[] x, long[] f, long pc, long retired) {
    static final int COUNT = 32;
    private static final long EVEN = ~1L;

    void write(SavedState.Builder state) {
        state.bytes("x", LittleEndian.bytes(x))
                .bytes("f", LittleEndian.bytes(f))
                .number("pc", pc)
                .number("retired", retired);
    }

    static RegisterRecord read(StateReader state) throws HypervisorException {
        long[] x = state.longs("x", COUNT);
        if (x[0] != 0) {
            throw state.impossible("x0", x[0]);
        }
        return new RegisterRecord(
                x,
                state.longs("f", COUNT),
                state.number("pc", 0, EVEN),
                state.number("retired", 0, StateReader.ANY));
    }
}
